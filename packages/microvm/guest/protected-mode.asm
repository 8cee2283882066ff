; Protected mode, 32 bits, flat: the same on the screen at its linear address, and the register block of a virtio device.
bits 32
%define MODE 32

protected_start:
        mov ax, 0x10
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        mov ss, ax
        mov esp, STACK_TOP

        print "protected mode (32 bits)", 13, 10

        topic "  IN, OUT: UART, PIC                       "
        mov dx, COM1_SCR
        mov al, 0xa5
        out dx, al
        xor al, al
        in al, dx
        cmp al, 0xa5
        expect e, "scratch register in protected mode"
        mov dx, PIC1_DATA
        mov al, 0xef
        out dx, al
        in al, PIC1_DATA
        cmp al, 0xef
        expect e, "mask of the PIC in protected mode"
        mov al, 0xff
        out PIC1_DATA, al
        done

        topic "  REP OUTSB, REP INSB: UART loopback       "
        call loopback32
        expect e, "loopback in protected mode"
        done

        topic "  MOV, MOVZX, ADD, OR, BTS, XCHG: screen   "
        mov edi, SCREEN + ROW
        mov dword [edi], 0x07420741             ; "AB"
        movzx eax, word [edi + 2]
        cmp eax, 0x0742
        expect e, "MOVZX from the screen"
        add dword [edi], 0x00010001             ; "BC"
        or byte [edi + 1], 0x08
        mov eax, [edi]
        cmp eax, 0x07430f42
        expect e, "ADD and OR on the screen"
        mov eax, 19                             ; bit 3 of the third byte: "C" becomes "K"
        bts dword [edi], eax
        expect nc, "BTS by register finds the bit clear"
        mov eax, 0x07580759
        xchg [edi], eax
        cmp eax, 0x074b0f42
        expect e, "XCHG reads the screen"
        cmp dword [edi], 0x07580759
        expect e, "XCHG writes the screen"
        mov dword [edi], BLANK << 16 | BLANK
        done

        topic "  REP STOSD, REP MOVSB: screen             "
        mov edi, SCREEN + 11 * ROW
        mov eax, 0x1f2e1f2e                     ; ".." on blue
        mov ecx, COLUMNS / 2
        rep stosd
        mov esi, title_protected
        mov edi, SCREEN + ROW
        mov ecx, title_protected.end - title_protected
        rep movsb
        mov esi, SCREEN + 11 * ROW
        mov edi, loop_buffer
        mov ecx, 8
        rep movsb                               ; screen to RAM
        cmp dword [loop_buffer + 4], 0x1f2e1f2e
        expect e, "REP MOVSB from the screen to RAM"
        std
        mov esi, SCREEN + 11 * ROW + 7
        mov edi, SCREEN + 12 * ROW + 7
        mov ecx, 8
        rep movsb                               ; downwards
        cld
        cmp edi, SCREEN + 12 * ROW - 1
        expect e, "REP MOVSB downwards ends where it should"
        cmp dword [SCREEN + 12 * ROW], 0x1f2e1f2e
        expect e, "REP MOVSB downwards"
        mov edi, SCREEN + 11 * ROW
        mov eax, BLANK << 16 | BLANK
        mov ecx, 2 * COLUMNS / 2
        rep stosd
        done

        topic "  virtio console: registers, configuration "
        mov ebx, VIRTIO_CONSOLE
        cmp dword [ebx + V_MAGIC], VIRTIO_MAGIC
        expect e, "magic value"
        mov eax, [ebx + V_VERSION]
        cmp eax, 2
        expect e, "version"
        mov eax, 3
        sub eax, [ebx + V_DEVICE_ID]
        expect z, "device is a console"
        mov dword [ebx + V_STATUS], 0
        or dword [ebx + V_STATUS], S_ACKNOWLEDGE
        or dword [ebx + V_STATUS], S_DRIVER
        mov dword [ebx + V_FEATURES_SEL], 1
        test dword [ebx + V_FEATURES], 1
        expect nz, "VIRTIO_F_VERSION_1 is offered"
        mov dword [ebx + V_DRIVER_SEL], 1
        mov dword [ebx + V_DRIVER], 1
        mov dword [ebx + V_DRIVER_SEL], 0
        mov dword [ebx + V_DRIVER], 1           ; VIRTIO_CONSOLE_F_SIZE
        mov eax, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK
        xchg eax, [ebx + V_STATUS]
        cmp eax, S_ACKNOWLEDGE | S_DRIVER
        expect e, "XCHG with the status register"
        bt dword [ebx + V_STATUS], 3
        expect c, "the device takes the features"
        bts dword [ebx + V_STATUS], S_DRIVER_OK_BIT
        expect nc, "DRIVER_OK was clear"
        movzx eax, word [ebx + V_COLS]
        movzx ecx, byte [ebx + V_ROWS]
        imul eax, ecx
        cmp eax, 80 * 25
        expect e, "size of the console"
        lea esi, [ebx + V_CONFIG]
        mov edi, loop_buffer
        mov ecx, 4
        rep movsb                               ; configuration, byte by byte
        cmp dword [loop_buffer], 25 << 16 | 80
        expect e, "REP MOVSB from the configuration"
        add dword [ebx + V_QUEUE_SEL], 1        ; reads as 0, so this selects queue 1
        cmp dword [ebx + V_QUEUE_MAX], 0
        expect nz, "queue 1 is there"
        mov esi, console_text
.emergency:
        lodsb
        movzx eax, al
        mov [ebx + V_EMERGENCY], eax
        test al, al
        jnz .emergency
        done

        ; Page tables for long mode: the first 2 MiB in 4 KiB pages, at their address and again in the upper half;
        ; one large page for the virtio blocks.
        mov edi, PAGE_TABLES
        xor eax, eax
        mov ecx, 7 * 4096 / 4
        rep stosd
        mov dword [PAGE_TABLES], PAGE_TABLES + 0x1003                   ; PML4[0]
        mov dword [PAGE_TABLES + 8 * 256], PAGE_TABLES + 0x4003         ; PML4[256]
        mov dword [PAGE_TABLES + 0x1000], PAGE_TABLES + 0x2003          ; low PDPT[0]
        mov dword [PAGE_TABLES + 0x1000 + 8 * 3], PAGE_TABLES + 0x6003  ; low PDPT[3]
        mov dword [PAGE_TABLES + 0x2000], PAGE_TABLES + 0x3003          ; low directory[0]
        mov dword [PAGE_TABLES + 0x4000], PAGE_TABLES + 0x5003          ; high PDPT[0]
        mov dword [PAGE_TABLES + 0x5000], PAGE_TABLES + 0x3003          ; high directory[0], the same table
        mov dword [PAGE_TABLES + 0x6000 + 8 * 0x80], 0xd0000083         ; 0xd0000000, 2 MiB
        mov edi, PAGE_TABLES + 0x3000
        mov eax, 0x003
.page:  mov [edi], eax
        add edi, 8
        add eax, 0x1000
        cmp eax, 0x200000
        jb .page

        mov eax, cr4
        or eax, 1 << 5                          ; PAE
        mov cr4, eax
        mov eax, PAGE_TABLES
        mov cr3, eax
        mov ecx, 0xc0000080                     ; EFER
        rdmsr
        or eax, 1 << 8                          ; LME
        wrmsr
        mov eax, cr0
        or eax, 1 << 31                         ; PG
        mov cr0, eax
        jmp 0x18:long_start

define_routines
