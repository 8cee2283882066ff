; The demo guest: starts in real mode, goes through protected mode into long mode, and in each of them talks to devices
; with the instructions that a hypervisor leaves to its host. Every result is checked here; the first wrong one ends the
; guest with a message and exit status 3.
;
; Flat image for `load` = `entry` = 0x8000, mode 16. Made by tooling/guest.

cpu x64
org 0x8000

section .text
%include "hardware.inc"
%include "checks.inc"
%include "real-mode.asm"
%include "protected-mode.asm"
%include "long-mode.asm"

section .data
align 8
gdt:    dq 0
        dq 0x00cf9b000000ffff                   ; 0x08 code, 32 bits
        dq 0x00cf93000000ffff                   ; 0x10 data
        dq 0x00af9b000000ffff                   ; 0x18 code, 64 bits
gdt_pointer:
        dw gdt_pointer - gdt - 1
        dd gdt

; gate HANDLER: a 64-bit interrupt gate; everything here lies in the first 64 KiB.
%macro gate 1
        dw %1 - start + 0x8000                  ; offset 15..0
        dw 0x18                                 ; code segment
        dw 0x8e00                               ; present, CPL 0, interrupt gate
        dw 0                                    ; offset 31..16
        dq 0                                    ; offset 63..32
%endmacro
align 16
idt:
%rep PAGE_FAULT_VECTOR
        gate unexpected_exception
%endrep
        gate page_fault
%rep TIMER_VECTOR - PAGE_FAULT_VECTOR - 1
        gate unexpected_exception
%endrep
        gate timer_interrupt
%rep SERIAL_VECTOR - TIMER_VECTOR - 1
        gate unexpected_exception
%endrep
        gate serial_interrupt
idt_pointer:
        dw idt_pointer - idt - 1
        dq idt

; Characters with their attributes, as they stand on the screen.
%macro on_screen 2
%strlen %%length %1
%assign %%i 1
%rep %%length
%substr %%character %1 %%i
        db %%character, %2
%assign %%i %%i + 1
%endrep
%endmacro
title_real:
        on_screen "16 bits: real mode was here", 0x0a
.end:
title_protected:
        on_screen "32 bits: protected mode was here", 0x0b
.end:
title_long:
        on_screen "64 bits: long mode was here", 0x0c
.end:

console_text:
        db "32 bits: hello by emergency write", 10, 0
loop_pattern:
        db 0x00, 0xff, 0x55, 0xaa, "loop"
number: times 10 db "0"
.end:

section .bss
checks: resd 1
ticks:  resd 1
fault_address:
        resq 1
fault_error:
        resd 1
fault_left:
        resd 1
fault_count:
        resd 1
loop_buffer:
        resb 8
line_complete:
        resb 1
alignb 4
line_length:
        resd 1
line:   resb 64
.size   equ 64
