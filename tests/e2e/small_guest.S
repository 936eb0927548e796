# A guest of one sector. At its first start it writes a number onto its disk, at every start it prints the number that is there
# to the serial port. Then it waits for the power button, and goes off. It is there a second after it was started.
        .code16
        .equ    SERIAL, 0x3f8
        .equ    BUTTON_STATUS, 0x600    # PM1a of both machines that QEMU has, where SeaBIOS puts it
        .equ    BUTTON_ENABLE, 0x602
        .equ    POWER, 0x604
        .equ    PRESSED, 0x100
        .equ    OFF, 0x2000
        .equ    SECTOR, 0x8000
        .equ    MARK, 0x4d414e21
        .globl  _start
_start: ljmp    $0, $begin
begin:  xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp
        movb    %dl, drive
        movb    $0x42, %ah              # read
        call    disk
        cmpl    $MARK, SECTOR
        je      tell
        movl    $MARK, SECTOR
        rdtsc
        movl    %eax, SECTOR + 4
        movw    $0x4300, %ax            # write
        call    disk
tell:   movw    $text, %si
1:      lodsb
        testb   %al, %al
        jz      2f
        call    print
        jmp     1b
2:      movl    SECTOR + 4, %ebx
        movw    $8, %cx
3:      roll    $4, %ebx
        movb    %bl, %al
        andb    $15, %al
        addb    $'a', %al
        call    print
        loop    3b
        movb    $'\n', %al
        call    print
        movw    $PRESSED, %ax
        movw    $BUTTON_ENABLE, %dx
        outw    %ax, %dx
4:      sti
        hlt                             # until the clock ticks
        movw    $BUTTON_STATUS, %dx
        inw     %dx, %ax
        testw   $PRESSED, %ax
        jz      4b
        movw    $OFF, %ax
        movw    $POWER, %dx
        outw    %ax, %dx
5:      hlt
        jmp     5b

disk:   movw    $packet, %si
        movb    drive, %dl
        int     $0x13
        jc      5b
        ret

print:  movb    %al, %ah
        movw    $SERIAL + 5, %dx
6:      inb     %dx, %al
        testb   $0x20, %al
        jz      6b
        movb    %ah, %al
        movw    $SERIAL, %dx
        outb    %al, %dx
        ret

text:   .asciz  "disk "
drive:  .byte   0
packet: .byte   16, 0
        .word   1, SECTOR, 0            # one sector to here
        .quad   1                       # the second of the disk
        .org    510
        .word   0xaa55
