; A guest that ends by triple fault: no interrupt table, so #UD cannot be delivered, nor the double fault after it.
; Flat image for `load` = `entry` = 0x8000, mode 16. Made by tooling/guest.

cpu x64
bits 16
org 0x8000

        cli
        lidt [empty]
        ud2
empty:  dw 0
        dd 0
