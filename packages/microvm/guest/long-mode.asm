; Long mode, 64 bits, with paging: devices at addresses that are not theirs, a virtqueue, interrupts, and what is typed.
bits 64
%define MODE 64

%define HIGH    0xffff800000000000              ; the first 2 MiB again
%define FAULT_ENTRY PAGE_TABLES + 0x3000 + 8 * (FAULT_PAGE >> 12)

long_start:
        mov ax, 0x10
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov rsp, STACK_TOP
        lidt [idt_pointer]

        print "long mode (64 bits, paging)", 13, 10

        topic "  IN, OUT: UART, PIT                       "
        mov dx, COM1_SCR
        mov al, 0x3c
        out dx, al
        mov rax, -1
        in al, dx
        cmp rax, -196                           ; only AL changed: 0xff...ff3c
        expect e, "scratch register in long mode"
        mov al, 0xe8                            ; read-back: status of counter 2
        out PIT_CONTROL, al
        xor eax, eax
        in al, PIT_COUNTER2
        and al, 0x3f
        cmp eax, 0x30
        expect e, "status of counter 2"
        done

        topic "  REP OUTSB, REP INSB: UART loopback       "
        call loopback64
        expect e, "loopback in long mode"
        done

        topic "  MOV, MOVZX, ADD, OR, BTS, XCHG: screen   "
        mov rdi, HIGH + SCREEN + 2 * ROW
        mov rax, 0x0744074307420741             ; "ABCD", in one access
        mov [rdi], rax
        movzx eax, byte [rdi + 6]
        cmp eax, 0x44
        expect e, "MOVZX from the screen"
        mov rcx, 0x0001000100010001
        add [rdi], rcx                          ; "BCDE"
        or dword [rdi + 4], 0x08000800
        cmp dword [SCREEN + 2 * ROW + 4], 0x0f450f44
        expect e, "ADD and OR, seen at the other address"
        bts qword [rdi], 48 + 3                 ; "E" becomes "M"
        expect nc, "BTS on eight bytes"
        mov rax, rcx
        xchg rax, [rdi]
        mov rdx, 0x0f4d0f4407430742
        cmp rax, rdx
        expect e, "XCHG reads the screen"
        mov rax, [rdi]
        cmp rax, rcx
        expect e, "XCHG writes the screen"
        mov rax, 0x1122334455667788
        mov [SCREEN + 0xffc], rax               ; across a page boundary: 4 and 4 bytes
        mov eax, [SCREEN + 0xffe]
        cmp eax, 0x33445566
        expect e, "an access across a page boundary"
        mov rcx, BLANK << 48 | BLANK << 32 | BLANK << 16 | BLANK
        mov [SCREEN + 0xffc], rcx
        mov [rdi], rcx
        done

        topic "  REP STOSD, REP MOVSB: screen             "
        mov rdi, HIGH + SCREEN + 13 * ROW
        mov eax, 0x2f3d2f3d                     ; "==" on green
        mov ecx, COLUMNS / 2
        rep stosd
        mov esi, title_long
        mov rdi, HIGH + SCREEN + 2 * ROW
        mov ecx, title_long.end - title_long
        rep movsb
        mov esi, SCREEN + 13 * ROW
        mov rdi, HIGH + SCREEN + 14 * ROW
        mov ecx, ROW
        rep movsb                               ; screen to screen, by two addresses
        cmp dword [SCREEN + 15 * ROW - 4], 0x2f3d2f3d
        expect e, "REP MOVSB from screen to screen"
        mov rdi, HIGH + SCREEN + 13 * ROW
        mov eax, BLANK << 16 | BLANK
        mov ecx, 2 * COLUMNS / 2
        rep stosd
        done

        topic "  a page fault inside REP MOVSB            "
        mov dword [FAULT_ENTRY], 0
        invlpg [FAULT_PAGE]
        mov esi, SCREEN
        mov edi, FAULT_PAGE - 4
        mov ecx, 8
        rep movsb                               ; four bytes, the fault, and four more
        cmp dword [fault_count], 1
        expect e, "one page fault"
        cmp qword [fault_address], FAULT_PAGE
        expect e, "its address"
        cmp dword [fault_error], 2
        expect e, "its error code: a write to a page that is not there"
        cmp dword [fault_left], 4
        expect e, "half of the bytes were moved before it"
        mov rax, [SCREEN]
        cmp [FAULT_PAGE - 4], rax
        expect e, "all of them after it"
        done

        topic "  virtio entropy: a queue in guest memory  "
        call fetch_entropy
        done

        topic "  timer interrupts: PIT, PIC, IDT, HLT     "
        mov al, 0x34                            ; counter 0, low and high byte, mode 2
        out PIT_CONTROL, al
        mov al, PIT_100HZ & 0xff
        out PIT_COUNTER0, al
        mov al, PIT_100HZ >> 8
        out PIT_COUNTER0, al
        mov al, 0xfe
        out PIC1_DATA, al                       ; IRQ 0 alone
.tick:  sti
        hlt
        cli
        cmp dword [ticks], 3
        jb .tick
        mov al, 0xff
        out PIC1_DATA, al
        cmp dword [ticks], 3
        expect ae, "three ticks"                ; more where the host was slow to run the guest
        mov al, 0x30                            ; mode 0 without a count: the timer stands
        out PIT_CONTROL, al
        done

        ; What is typed comes by interrupt, a byte at a time, while the processor is halted.
        print "What is your name? "
        mov dx, COM1_IER
        mov al, 1
        out dx, al
        mov al, 0xef
        out PIC1_DATA, al                       ; IRQ 4 alone
.typed: sti
        hlt
        cli
        cmp byte [line_complete], 0
        je .typed
        mov dx, COM1_IER
        xor al, al
        out dx, al
        mov al, 0xff
        out PIC1_DATA, al
        print "Hello, "
        mov esi, line
        mov ecx, [line_length]
        jecxz .nobody
        call puts64
.nobody:
        print "!", 13, 10

        ; The name goes to the screen too.
        mov rdi, HIGH + SCREEN + 4 * ROW
        mov esi, line
        mov ecx, [line_length]
        jecxz .unnamed
.letter:
        lodsb
        mov ah, 0x0e
        mov [rdi], ax
        add rdi, 2
        loop .letter
.unnamed:

        mov eax, [checks]
        mov ebx, 10
        mov edi, number.end
.digit: xor edx, edx
        div ebx
        add dl, "0"
        dec edi
        mov [rdi], dl
        test eax, eax
        jnz .digit
        mov esi, edi
        mov ecx, number.end
        sub ecx, edi
        call puts64
        print " checks passed, shutting down", 13, 10
        mov dx, PM1_CONTROL
        mov ax, SLEEP_S5
        out dx, ax
        cli
        hlt

; fetch_entropy: virtio 1.2, 3.1.1, then one buffer of 32 bytes through queue 0.
fetch_entropy:
        mov rbx, VIRTIO_ENTROPY
        cmp dword [rbx + V_DEVICE_ID], 4
        expect e, "device is an entropy source"
        mov dword [rbx + V_STATUS], 0
        or dword [rbx + V_STATUS], S_ACKNOWLEDGE
        or dword [rbx + V_STATUS], S_DRIVER
        mov dword [rbx + V_DRIVER_SEL], 1
        mov dword [rbx + V_DRIVER], 1           ; VIRTIO_F_VERSION_1
        bts dword [rbx + V_STATUS], 3           ; FEATURES_OK
        test dword [rbx + V_STATUS], S_FEATURES_OK
        expect nz, "the entropy device takes the features"
        mov dword [rbx + V_QUEUE_SEL], 0
        mov dword [rbx + V_QUEUE_NUM], 4
        mov dword [rbx + V_QUEUE_DESC], QUEUE_DESC
        mov dword [rbx + V_QUEUE_DESC + 4], 0
        mov dword [rbx + V_QUEUE_DRIVER], QUEUE_DRIVER
        mov dword [rbx + V_QUEUE_DRIVER + 4], 0
        mov dword [rbx + V_QUEUE_DEVICE], QUEUE_DEVICE
        mov dword [rbx + V_QUEUE_DEVICE + 4], 0
        mov dword [rbx + V_QUEUE_READY], 1
        cmp dword [rbx + V_QUEUE_READY], 1
        expect e, "the queue is ready"
        bts dword [rbx + V_STATUS], S_DRIVER_OK_BIT
        mov qword [QUEUE_DESC], QUEUE_BUFFER
        mov dword [QUEUE_DESC + 8], 32
        mov word [QUEUE_DESC + 12], 2           ; the device writes it
        mov word [QUEUE_DRIVER + 4], 0          ; descriptor 0
        mov word [QUEUE_DRIVER + 2], 1          ; one is available
        mov dword [rbx + V_QUEUE_NOTIFY], 0
        cmp word [QUEUE_DEVICE + 2], 1
        expect e, "the buffer was used"
        cmp dword [QUEUE_DEVICE + 8], 32
        expect e, "all of it was written"
        mov rax, [QUEUE_BUFFER]
        or rax, [QUEUE_BUFFER + 24]
        expect nz, "it holds something"
        mov eax, [rbx + V_INT_STATUS]
        cmp eax, 1
        expect e, "the device interrupts"
        mov [rbx + V_INT_ACK], eax
        cmp dword [rbx + V_INT_STATUS], 0
        expect e, "until it is acknowledged"
        ret

timer_interrupt:
        push rax
        inc dword [ticks]
        mov al, EOI
        out PIC1_COMMAND, al
        pop rax
        iretq

; Takes all that has come, echoes it, and keeps it up to the end of the line.
serial_interrupt:
        push rax
        push rcx
        push rdx
.next:  mov dx, COM1_LSR
        in al, dx
        test al, LSR_DATA_READY
        jz .empty
        mov dx, COM1
        in al, dx
        cmp al, 13
        je .end
        cmp al, 10
        je .end
        cmp byte [line_complete], 0
        jne .next
        mov ecx, [line_length]
        cmp ecx, line.size
        jae .next
        mov [line + rcx], al
        inc dword [line_length]
        out dx, al
        jmp .next
.end:   cmp byte [line_complete], 0
        jne .next
        mov byte [line_complete], 1
        mov al, 13
        out dx, al
        mov al, 10
        out dx, al
        jmp .next
.empty: mov al, EOI
        out PIC1_COMMAND, al
        pop rdx
        pop rcx
        pop rax
        iretq

; Notes the fault, makes the page present, and lets the instruction go on where it stood.
page_fault:
        push rax
        mov rax, cr2
        mov [fault_address], rax
        mov eax, [rsp + 8]                      ; error code
        mov [fault_error], eax
        mov [fault_left], ecx
        inc dword [fault_count]
        mov dword [FAULT_ENTRY], FAULT_PAGE | 3
        invlpg [FAULT_PAGE]
        pop rax
        add rsp, 8
        iretq

unexpected_exception:
        mov rsp, STACK_TOP
        section .data
.text:  db "an exception that nothing here should raise"
.end:
        section .text
        mov esi, .text
        mov ecx, .end - .text
        jmp fail64

define_routines
