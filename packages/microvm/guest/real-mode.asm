; Real mode, 16 bits: ports, string ports, and the text screen through a segment of its own.
bits 16
%define MODE 16

start:
        cli
        cld
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov sp, STACK_TOP

        ; The serial port: 115200 baud. The divisor goes out as one word, which the bus cuts into two byte cycles.
        mov dx, COM1_LCR
        mov al, LCR_DLAB
        out dx, al
        mov dx, COM1
        mov ax, 1
        out dx, ax
        mov dx, COM1_LCR
        mov al, LCR_8N1
        out dx, al
        mov dx, COM1_FCR
        mov al, FCR_ENABLE
        out dx, al
        mov dx, COM1_MCR
        mov al, MCR_RUN
        out dx, al

        print "real mode (16 bits)", 13, 10

        topic "  IN, OUT: UART, PIC, PIT                  "
        mov dx, COM1_SCR
        mov al, 0x5a
        out dx, al
        xor al, al
        in al, dx
        cmp al, 0x5a
        expect e, "scratch register of the UART"

        ; The interrupt controllers, by OUT imm8: vectors 0x20 and 0x28, everything masked.
        mov al, 0x11
        out PIC1_COMMAND, al
        out PIC2_COMMAND, al
        mov al, TIMER_VECTOR
        out PIC1_DATA, al
        mov al, TIMER_VECTOR + 8
        out PIC2_DATA, al
        mov al, 4
        out PIC1_DATA, al
        mov al, 2
        out PIC2_DATA, al
        mov al, 1
        out PIC1_DATA, al
        out PIC2_DATA, al
        mov al, 0xff
        out PIC1_DATA, al
        mov al, 0xfb
        out PIC2_DATA, al
        in al, PIC1_DATA
        cmp al, 0xff
        expect e, "mask of the first PIC"
        in al, PIC2_DATA
        cmp al, 0xfb
        expect e, "mask of the second PIC"

        ; Counter 2 of the timer: written and read back as low byte, high byte. GATE is off, so it does not count.
        mov al, 0xb0
        out PIT_CONTROL, al
        mov al, 0x34
        out PIT_COUNTER2, al
        mov al, 0x12
        out PIT_COUNTER2, al
        mov al, 0x80
        out PIT_CONTROL, al
        in al, PIT_COUNTER2
        mov ah, al
        in al, PIT_COUNTER2
        xchg al, ah
        cmp ax, 0x1234
        expect e, "counter 2 of the PIT"
        done

        topic "  REP OUTSB, REP INSB: UART loopback       "
        call loopback16
        expect e, "loopback in real mode"
        done

        topic "  MOV, MOVZX, ADD, OR, BTS, XCHG: screen   "
        mov ax, SCREEN >> 4
        mov es, ax
        mov word [es:0], 0x0741                 ; "A"
        movzx eax, byte [es:0]
        cmp eax, 0x41
        expect e, "MOVZX from the screen"
        add byte [es:0], 1                      ; "B"
        or byte [es:1], 0x18                    ; bright on blue
        mov ax, [es:0]
        cmp ax, 0x1f42
        expect e, "ADD and OR on the screen"
        bts word [es:0], 2                      ; "F"
        expect nc, "BTS finds the bit clear"
        bts word [es:0], 2
        expect c, "BTS finds the bit set"
        mov ax, 0x2e43
        xchg ax, [es:0]
        cmp ax, 0x1f46
        expect e, "XCHG reads the screen"
        cmp word [es:0], 0x2e43
        expect e, "XCHG writes the screen"
        done

        topic "  REP STOSD, REP MOVSB: screen             "
        xor di, di
        mov eax, BLANK << 16 | BLANK
        mov cx, 25 * COLUMNS / 2
        rep stosd                               ; clears the screen
        mov si, title_real
        mov di, 0
        mov cx, title_real.end - title_real
        rep movsb                               ; RAM to screen
        push ds
        push es
        pop ds
        xor si, si
        mov di, 10 * ROW
        mov cx, title_real.end - title_real
        rep movsb                               ; screen to screen
        cmp di, 10 * ROW + title_real.end - title_real
        pop ds
        expect e, "REP MOVSB ends where it should"
        mov ax, [es:10 * ROW + 2]
        cmp ax, [title_real + 2]
        expect e, "the screen holds what was moved"
        mov ax, [es:11 * ROW]
        cmp ax, BLANK
        expect e, "the rest of the screen is blank"
        mov di, 10 * ROW
        mov cx, ROW / 4
        mov eax, BLANK << 16 | BLANK
        rep stosd                               ; and row 10 is blank again
        xor ax, ax
        mov es, ax
        done

        lgdt [gdt_pointer]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp 0x08:protected_start

define_routines
