/**
 * Signals between guest and host without an exit: doorbells and notification ports, which call a function of the host, and
 * triggers, by which the host interrupts the guest. Each holds an event of Windows until it is disposed of.
 */
import {
  DoorbellMatchDataView,
  E_FAIL,
  E_INVALIDARG,
  type NotificationPort,
  NotificationPortParametersView,
  type Trigger,
  TriggerParametersView,
  type WHV_DOORBELL_MATCH_DATA,
  type WHV_NOTIFICATION_PORT_PARAMETERS,
  type WHV_NOTIFICATION_PORT_PROPERTY_CODE,
  type WHV_TRIGGER_PARAMETERS,
  WhvError,
  type WhvInit,
} from "@whvkit/whv-types";
import { kernel32, lastErrorHresult, type NativePointer } from "../native/kernel32.ts";
import { SignalEvent } from "../native/signal-event.ts";
import { check, requireUint32, requireUint64 } from "./argument-checks.ts";
import type { PartitionHandle } from "./partition-handle.ts";

export class PartitionSignals {
  private readonly partition: PartitionHandle;
  /** By what they match, as bytes. */
  private readonly doorbells = new Map<string, SignalEvent>();
  private readonly ports = new Set<NativeNotificationPort>();
  private readonly triggers = new Set<NativeTrigger>();

  constructor(partition: PartitionHandle) {
    this.partition = partition;
  }

  registerDoorbell(match: WhvInit<WHV_DOORBELL_MATCH_DATA>, onRing: () => void): void {
    const operation = "WHvRegisterPartitionDoorbellEvent";
    const handle = this.partition.of(operation);
    const { WHvRegisterPartitionDoorbellEvent: register } = this.partition.functions;
    const { bytes } = DoorbellMatchDataView.from(match);
    const key = bytes.join();
    if (this.doorbells.has(key))
      throw new WhvError(operation, E_INVALIDARG, "there is a doorbell that matches the same");
    const event = new SignalEvent(onRing);
    try {
      check(operation, register(handle, bytes, event.handle));
    } catch (error) {
      event.dispose();
      throw error;
    }
    this.doorbells.set(key, event);
  }

  unregisterDoorbell(match: WhvInit<WHV_DOORBELL_MATCH_DATA>): void {
    const operation = "WHvUnregisterPartitionDoorbellEvent";
    const handle = this.partition.of(operation);
    const { bytes } = DoorbellMatchDataView.from(match);
    check(operation, this.partition.functions.WHvUnregisterPartitionDoorbellEvent(handle, bytes));
    const key = bytes.join();
    this.doorbells.get(key)?.dispose();
    this.doorbells.delete(key);
  }

  createNotificationPort(parameters: WHV_NOTIFICATION_PORT_PARAMETERS, onSignal: () => void): NotificationPort {
    const port = new NativeNotificationPort(this.partition, parameters, onSignal, () => this.ports.delete(port));
    this.ports.add(port);
    return port;
  }

  createTrigger(parameters: WHV_TRIGGER_PARAMETERS): Trigger {
    const trigger = new NativeTrigger(this.partition, parameters, () => this.triggers.delete(trigger));
    this.triggers.add(trigger);
    return trigger;
  }

  /** Everything, before the partition is deleted. */
  dispose(): void {
    for (const port of [...this.ports]) port.dispose();
    for (const trigger of [...this.triggers]) trigger.dispose();
    for (const [key, event] of [...this.doorbells]) {
      this.doorbells.delete(key);
      const handle = this.partition.of("WHvUnregisterPartitionDoorbellEvent");
      const match = Uint8Array.from(key.split(","), Number);
      // Whatever the platform says: the partition goes next.
      this.partition.functions.WHvUnregisterPartitionDoorbellEvent(handle, match);
      event.dispose();
    }
  }
}

class NativeNotificationPort implements NotificationPort {
  private readonly partition: PartitionHandle;
  private readonly event: SignalEvent;
  private readonly removed: () => void;
  private port: NativePointer | null;

  constructor(
    partition: PartitionHandle,
    parameters: WHV_NOTIFICATION_PORT_PARAMETERS,
    onSignal: () => void,
    removed: () => void,
  ) {
    const operation = "WHvCreateNotificationPort";
    this.partition = partition;
    this.removed = removed;
    const handle = partition.of(operation);
    const { WHvCreateNotificationPort: create } = partition.functions;
    const { bytes } = NotificationPortParametersView.from(parameters);
    const out = new BigUint64Array(1);
    this.event = new SignalEvent(onSignal);
    try {
      check(operation, create(handle, bytes, this.event.handle, new Uint8Array(out.buffer)));
    } catch (error) {
      this.event.dispose();
      throw error;
    }
    this.port = out[0] as NativePointer;
  }

  setProperty(code: WHV_NOTIFICATION_PORT_PROPERTY_CODE, value: bigint): void {
    const operation = "WHvSetNotificationPortProperty";
    const handle = this.partition.of(operation);
    if (this.port === null) throw new WhvError(operation, E_INVALIDARG, "the notification port is deleted");
    requireUint32(operation, "code", code);
    requireUint64(operation, "value", value);
    check(operation, this.partition.functions.WHvSetNotificationPortProperty(handle, this.port, code, value));
  }

  dispose(): void {
    const { port } = this;
    if (port === null) return;
    const operation = "WHvDeleteNotificationPort";
    this.port = null;
    try {
      check(operation, this.partition.functions.WHvDeleteNotificationPort(this.partition.of(operation), port));
    } finally {
      this.event.dispose();
      this.removed();
    }
  }
}

class NativeTrigger implements Trigger {
  private readonly partition: PartitionHandle;
  private readonly removed: () => void;
  private trigger: NativePointer | null;
  /** The platform makes it; whoever holds it closes it. */
  private readonly event: NativePointer;

  constructor(partition: PartitionHandle, parameters: WHV_TRIGGER_PARAMETERS, removed: () => void) {
    const operation = "WHvCreateTrigger";
    this.partition = partition;
    this.removed = removed;
    const { bytes } = TriggerParametersView.from(parameters);
    const out = new BigUint64Array(2);
    const [triggerOut, eventOut] = [new Uint8Array(out.buffer, 0, 8), new Uint8Array(out.buffer, 8, 8)];
    const handle = partition.of(operation);
    check(operation, partition.functions.WHvCreateTrigger(handle, bytes, triggerOut, eventOut));
    this.trigger = out[0] as NativePointer;
    this.event = out[1] as NativePointer;
  }

  signal(): void {
    this.existing("SetEvent");
    const windows = kernel32("SetEvent");
    if (windows.SetEvent(this.event) === 0) throw new WhvError("SetEvent", lastErrorHresult(windows) || E_FAIL);
  }

  update(parameters: WHV_TRIGGER_PARAMETERS): void {
    const operation = "WHvUpdateTriggerParameters";
    const trigger = this.existing(operation);
    const { bytes } = TriggerParametersView.from(parameters);
    check(operation, this.partition.functions.WHvUpdateTriggerParameters(this.partition.of(operation), bytes, trigger));
  }

  dispose(): void {
    const { trigger } = this;
    if (trigger === null) return;
    const operation = "WHvDeleteTrigger";
    this.trigger = null;
    try {
      check(operation, this.partition.functions.WHvDeleteTrigger(this.partition.of(operation), trigger));
    } finally {
      kernel32("CloseHandle").CloseHandle(this.event);
      this.removed();
    }
  }

  private existing(operation: string): NativePointer {
    if (this.trigger === null) throw new WhvError(operation, E_INVALIDARG, "the trigger is deleted");
    return this.trigger;
  }
}
