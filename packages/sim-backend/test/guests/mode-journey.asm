; A guest that goes from real mode through 32-bit protected mode into long mode with paging. In each mode it writes to a
; port and touches an address where no memory is mapped; at the end it takes one interrupt and halts.
; Built with: nasm -f bin -o mode-journey.bin mode-journey.asm. Loaded and entered at 0000:7C00.

bits 16
org 0x7c00

%define MMIO 0xd0000
%define TABLES 0x10000

start:
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov sp, 0x7000
        ; INT 20h through the interrupt vector table
        mov word [0x20 * 4], real_handler
        mov word [0x20 * 4 + 2], 0
        int 0x20
        mov al, 0x16
        out 0x80, al
        ; a store to memory that is not there
        mov ax, MMIO >> 4
        mov es, ax
        mov byte [es:4], 0x5a
        in al, 0x81
        mov [0x600], al
        cli
        lgdt [gdt_pointer]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp 0x08:protected

real_handler:
        mov dx, 0x3f8
        mov al, 'R'
        out dx, al
        iret

bits 32
protected:
        mov ax, 0x10
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov esp, 0x7000
        mov al, 0x32
        out 0x80, al
        add dword [MMIO + 8], 0x11
        ; page tables: identity for the first 2 MiB, and MMIO also at FFFF_8000_0000_0000h
        mov edi, TABLES
        mov ecx, 0x5000 / 4
        xor eax, eax
        rep stosd
        mov dword [TABLES], TABLES + 0x1003
        mov dword [TABLES + 256 * 8], TABLES + 0x3003
        mov dword [TABLES + 0x1000], TABLES + 0x2003
        mov dword [TABLES + 0x2000], 0x83
        mov dword [TABLES + 0x3000], TABLES + 0x4003
        mov dword [TABLES + 0x4000], 0x83
        mov eax, cr4
        or eax, 0x20
        mov cr4, eax
        mov eax, TABLES
        mov cr3, eax
        mov ecx, 0xc0000080
        rdmsr
        or eax, 0x100
        wrmsr
        mov eax, cr0
        or eax, 0x80010000
        mov cr0, eax
        jmp 0x18:long_mode

bits 64
long_mode:
        mov ax, 0x10
        mov ss, ax
        mov rsp, 0x7000
        mov al, 0x64
        out 0x80, al
        mov rbx, 0xffff800000000000 + MMIO
        movzx eax, word [rbx + 0x10]
        mov [0x608], eax
        ; string output: one exit each
        lea rsi, [rel text]
        mov ecx, text_end - text
        mov dx, 0x3f8
        rep outsb
        ; an IDT entry for vector 40h
        lea rax, [rel handler]
        mov [idt + 0x40 * 16], ax
        mov word [idt + 0x40 * 16 + 2], 0x18
        mov word [idt + 0x40 * 16 + 4], 0x8e00
        shr rax, 16
        mov [idt + 0x40 * 16 + 6], ax
        mov dword [idt + 0x40 * 16 + 8], 0
        lidt [idt_pointer]
        sti
        hlt
        mov al, 0x77
        out 0x80, al
        cli
        hlt

handler:
        push rax
        mov al, 0x40
        out 0x80, al
        pop rax
        iretq

text:   db "long"
text_end:

align 8
gdt:
        dq 0
        dq 0x00cf9a000000ffff
        dq 0x00cf92000000ffff
        dq 0x00af9a000000ffff
gdt_pointer:
        dw gdt_pointer - gdt - 1
        dd gdt
idt_pointer:
        dw 0x41 * 16 - 1
        dq idt

idt equ 0x9000
