// Names for people, and one structure in its native layout.
import { hresultMessage, SegmentRegisterView } from "@whvkit/whv-types";

const segment = SegmentRegisterView.from({ base: 0n, limit: 0xffff_ffff, selector: 8, attributes: 0xa09b });
console.log(segment.long, segment.bytes.length, hresultMessage(0x8037_0306));
