"""The numbers of system calls: those allowed, and those refused by name.

Numbers are the kernel's own (asm/unistd_64.h, asm-generic/unistd.h). A call
in neither table does not exist, as far as the payload can tell.
"""

from __future__ import annotations

from collections.abc import Mapping

_ALLOWED_X86_64 = """
access:21 alarm:37 arch_prctl:158 brk:12 cachestat:451 capget:125
capset:126 chdir:80 chmod:90 chown:92 clock_getres:229 clock_gettime:228
clock_nanosleep:230 clone:56 close:3 close_range:436 copy_file_range:326
creat:85 dup:32 dup2:33 dup3:292 epoll_create:213 epoll_create1:291
epoll_ctl:233 epoll_pwait:281 epoll_pwait2:441 epoll_wait:232 eventfd:284
eventfd2:290 execve:59 execveat:322 exit:60 exit_group:231 faccessat:269
faccessat2:439 fadvise64:221 fallocate:285 fchdir:81 fchmod:91 fchmodat:268
fchmodat2:452 fchown:93 fchownat:260 fcntl:72 fdatasync:75 fgetxattr:193
flistxattr:196 flock:73 fork:57 fremovexattr:199 fsetxattr:190 fstat:5
fstatfs:138 fsync:74 ftruncate:77 futex:202 futex_requeue:456
futex_wait:455 futex_waitv:449 futex_wake:454 futimesat:261
get_mempolicy:239 get_robust_list:274 get_thread_area:211 getcpu:309
getcwd:79 getdents:78 getdents64:217 getegid:108 geteuid:107 getgid:104
getgroups:115 getitimer:36 getpeername:52 getpgid:121 getpgrp:111 getpid:39
getppid:110 getpriority:140 getrandom:318 getresgid:120 getresuid:118
getrlimit:97 getrusage:98 getsid:124 getsockname:51 getsockopt:55
gettid:186 gettimeofday:96 getuid:102 getxattr:191 inotify_add_watch:254
inotify_init:253 inotify_init1:294 inotify_rm_watch:255 ioctl:16
ioprio_get:252 ioprio_set:251 kill:62 lchown:94 lgetxattr:192 link:86
linkat:265 listxattr:194 llistxattr:195 lremovexattr:198 lseek:8
lsetxattr:189 lstat:6 madvise:28 map_shadow_stack:453 mbind:237
membarrier:324 memfd_create:319 migrate_pages:256 mincore:27 mkdir:83
mkdirat:258 mlock:149 mlock2:325 mlockall:151 mmap:9 move_pages:279
mprotect:10 mremap:25 mseal:462 msync:26 munlock:150 munlockall:152
munmap:11 nanosleep:35 newfstatat:262 open:2 openat:257 openat2:437
pause:34 pidfd_open:434 pidfd_send_signal:424 pipe:22 pipe2:293
pkey_alloc:330 pkey_free:331 pkey_mprotect:329 poll:7 ppoll:271 prctl:157
pread64:17 preadv:295 preadv2:327 prlimit64:302 pselect6:270 pwrite64:18
pwritev:296 pwritev2:328 read:0 readahead:187 readlink:89 readlinkat:267
readv:19 recvfrom:45 recvmmsg:299 recvmsg:47 remap_file_pages:216
removexattr:197 rename:82 renameat:264 renameat2:316 restart_syscall:219
rmdir:84 rseq:334 rt_sigaction:13 rt_sigpending:127 rt_sigprocmask:14
rt_sigqueueinfo:129 rt_sigreturn:15 rt_sigsuspend:130 rt_sigtimedwait:128
rt_tgsigqueueinfo:297 sched_get_priority_max:146 sched_get_priority_min:147
sched_getaffinity:204 sched_getattr:315 sched_getparam:143
sched_getscheduler:145 sched_rr_get_interval:148 sched_setattr:314
sched_setparam:142 sched_setscheduler:144 sched_yield:24
select:23 sendfile:40 sendmmsg:307 sendmsg:46 sendto:44 set_mempolicy:238
set_mempolicy_home_node:450 set_robust_list:273 set_thread_area:205
set_tid_address:218 setfsgid:123 setfsuid:122 setgid:106 setgroups:116
setitimer:38 setpgid:109 setpriority:141 setregid:114 setresgid:119
setresuid:117 setreuid:113 setrlimit:160 setsid:112 setsockopt:54
setuid:105 setxattr:188 shutdown:48 sigaltstack:131 signalfd:282
signalfd4:289 socketpair:53 splice:275 stat:4 statfs:137 statx:332
symlink:88 symlinkat:266 sync:162 sync_file_range:277 sysinfo:99 tee:276
tgkill:234 time:201 timer_create:222 timer_delete:226 timer_getoverrun:225
timer_gettime:224 timer_settime:223 timerfd_create:283 timerfd_gettime:287
timerfd_settime:286 times:100 tkill:200 truncate:76 umask:95 uname:63
unlink:87 unlinkat:263 utime:132 utimensat:280 utimes:235 vfork:58 wait4:61
waitid:247 write:1 writev:20
"""

_ALLOWED_AARCH64 = """
brk:214 cachestat:451 capget:90 capset:91 chdir:49 clock_getres:114
clock_gettime:113 clock_nanosleep:115 clone:220 close:57 close_range:436
copy_file_range:285 dup:23 dup3:24 epoll_create1:20 epoll_ctl:21
epoll_pwait:22 epoll_pwait2:441 eventfd2:19 execve:221 execveat:281 exit:93
exit_group:94 faccessat:48 faccessat2:439 fadvise64:223 fallocate:47
fchdir:50 fchmod:52 fchmodat:53 fchmodat2:452 fchown:55 fchownat:54
fcntl:25 fdatasync:83 fgetxattr:10 flistxattr:13 flock:32 fremovexattr:16
fsetxattr:7 fstat:80 fstatfs:44 fsync:82 ftruncate:46 futex:98
futex_requeue:456 futex_wait:455 futex_waitv:449 futex_wake:454
get_mempolicy:236 get_robust_list:100 getcpu:168 getcwd:17 getdents64:61
getegid:177 geteuid:175 getgid:176 getgroups:158 getitimer:102
getpeername:205 getpgid:155 getpid:172 getppid:173 getpriority:141
getrandom:278 getresgid:150 getresuid:148 getrlimit:163 getrusage:165
getsid:156 getsockname:204 getsockopt:209 gettid:178 gettimeofday:169
getuid:174 getxattr:8 inotify_add_watch:27 inotify_init1:26
inotify_rm_watch:28 ioctl:29 ioprio_get:31 ioprio_set:30 kill:129
lgetxattr:9 linkat:37 listxattr:11 llistxattr:12 lremovexattr:15 lseek:62
lsetxattr:6 madvise:233 map_shadow_stack:453 mbind:235 membarrier:283
memfd_create:279 migrate_pages:238 mincore:232 mkdirat:34 mlock:228
mlock2:284 mlockall:230 mmap:222 move_pages:239 mprotect:226 mremap:216
mseal:462 msync:227 munlock:229 munlockall:231 munmap:215 nanosleep:101
newfstatat:79 openat:56 openat2:437 pidfd_open:434 pidfd_send_signal:424
pipe2:59 pkey_alloc:289 pkey_free:290 pkey_mprotect:288 ppoll:73 prctl:167
pread64:67 preadv:69 preadv2:286 prlimit64:261 pselect6:72 pwrite64:68
pwritev:70 pwritev2:287 read:63 readahead:213 readlinkat:78 readv:65
recvfrom:207 recvmmsg:243 recvmsg:212 remap_file_pages:234 removexattr:14
renameat:38 renameat2:276 restart_syscall:128 rseq:293 rt_sigaction:134
rt_sigpending:136 rt_sigprocmask:135 rt_sigqueueinfo:138 rt_sigreturn:139
rt_sigsuspend:133 rt_sigtimedwait:137 rt_tgsigqueueinfo:240
sched_get_priority_max:125 sched_get_priority_min:126 sched_getaffinity:123
sched_getattr:275 sched_getparam:121 sched_getscheduler:120
sched_rr_get_interval:127 sched_setattr:274
sched_setparam:118 sched_setscheduler:119 sched_yield:124 sendfile:71
sendmmsg:269 sendmsg:211 sendto:206 set_mempolicy:237
set_mempolicy_home_node:450 set_robust_list:99 set_tid_address:96
setfsgid:152 setfsuid:151 setgid:144 setgroups:159 setitimer:103
setpgid:154 setpriority:140 setregid:143 setresgid:149 setresuid:147
setreuid:145 setrlimit:164 setsid:157 setsockopt:208 setuid:146 setxattr:5
shutdown:210 sigaltstack:132 signalfd4:74 socketpair:199 splice:76
statfs:43 statx:291 symlinkat:36 sync:81 sync_file_range:84 sysinfo:179
tee:77 tgkill:131 timer_create:107 timer_delete:111 timer_getoverrun:109
timer_gettime:108 timer_settime:110 timerfd_create:85 timerfd_gettime:87
timerfd_settime:86 times:153 tkill:130 truncate:45 umask:166 uname:160
unlinkat:35 utimensat:88 wait4:260 waitid:95 write:64 writev:66
"""

_REFUSED_X86_64 = """
_sysctl:156 accept:43 accept4:288 acct:163 add_key:248 adjtimex:159 bind:49
bpf:321 chroot:161 clock_adjtime:305 clock_settime:227 connect:42
create_module:174 delete_module:176 fanotify_init:300 fanotify_mark:301
finit_module:313 fsconfig:431 fsmount:432 fsopen:430 fspick:433
get_kernel_syms:177 init_module:175 io_cancel:210 io_destroy:207
io_getevents:208 io_pgetevents:333 io_setup:206 io_submit:209
io_uring_enter:426 io_uring_register:427 io_uring_setup:425 ioperm:173
iopl:172 kcmp:312 kexec_file_load:320 kexec_load:246 keyctl:250
landlock_add_rule:445 landlock_create_ruleset:444
landlock_restrict_self:446 listen:50 listmount:458 lookup_dcookie:212
memfd_secret:447 mknod:133 mknodat:259 modify_ldt:154 mount:165
mount_setattr:442 move_mount:429 mq_getsetattr:245 mq_notify:244
mq_open:240 mq_timedreceive:243 mq_timedsend:242 mq_unlink:241 msgctl:71
msgget:68 msgrcv:70 msgsnd:69 name_to_handle_at:303 nfsservctl:180
open_by_handle_at:304 open_tree:428 perf_event_open:298 personality:135
pidfd_getfd:438 pivot_root:155 process_madvise:440 process_mrelease:448
process_vm_readv:310 process_vm_writev:311 ptrace:101 query_module:178
quotactl:179 quotactl_fd:443 reboot:169 request_key:249
sched_setaffinity:203 seccomp:317
semctl:66 semget:64 semop:65 semtimedop:220 setdomainname:171
sethostname:170 setns:308 settimeofday:164 shmat:30 shmctl:31 shmdt:67
shmget:29 socket:41 statmount:457 swapoff:168 swapon:167 sysfs:139
syslog:103 umount2:166 unshare:272 uselib:134 userfaultfd:323 ustat:136
vhangup:153 vmsplice:278
"""

_REFUSED_AARCH64 = """
accept:202 accept4:242 acct:89 add_key:217 adjtimex:171 bind:200 bpf:280
chroot:51 clock_adjtime:266 clock_settime:112 connect:203 delete_module:106
fanotify_init:262 fanotify_mark:263 finit_module:273 fsconfig:431
fsmount:432 fsopen:430 fspick:433 init_module:105 io_cancel:3 io_destroy:1
io_getevents:4 io_pgetevents:292 io_setup:0 io_submit:2 io_uring_enter:426
io_uring_register:427 io_uring_setup:425 kcmp:272 kexec_file_load:294
kexec_load:104 keyctl:219 landlock_add_rule:445 landlock_create_ruleset:444
landlock_restrict_self:446 listen:201 listmount:458 lookup_dcookie:18
mknodat:33 mount:40 mount_setattr:442 move_mount:429 mq_getsetattr:185
mq_notify:184 mq_open:180 mq_timedreceive:183 mq_timedsend:182
mq_unlink:181 msgctl:187 msgget:186 msgrcv:188 msgsnd:189
name_to_handle_at:264 nfsservctl:42 open_by_handle_at:265 open_tree:428
perf_event_open:241 personality:92 pidfd_getfd:438 pivot_root:41
process_madvise:440 process_mrelease:448 process_vm_readv:270
process_vm_writev:271 ptrace:117 quotactl:60 quotactl_fd:443 reboot:142
request_key:218 sched_setaffinity:122 seccomp:277 semctl:191 semget:190
semop:193 semtimedop:192
setdomainname:162 sethostname:161 setns:268 settimeofday:170 shmat:196
shmctl:195 shmdt:197 shmget:194 socket:198 statmount:457 swapoff:225
swapon:224 syslog:116 umount2:39 unshare:97 userfaultfd:282 vhangup:58
vmsplice:75
"""


LOOPBACK = frozenset(
    {"accept", "accept4", "bind", "connect", "listen", "socket"}
)
"""Refused, but to a job that talks to itself over internet sockets."""

DEVICE = frozenset({"bind", "listen", "socket"})
"""Refused, but to a job with a device: CUDA's `cuInit` makes a local socket
and listens, and answers 304 (operating system) where it may not."""

AF_INET = 2


def allowed(machine: str) -> Mapping[str, int]:
    """Name and number of each call that a payload may make."""
    return _table(_ALLOWED[machine])


def refused(machine: str) -> Mapping[str, int]:
    """Name and number of each call that answers "not permitted"."""
    return _table(_REFUSED[machine])


def _table(text: str) -> Mapping[str, int]:
    pairs = (entry.split(":") for entry in text.split())
    return {name: int(number) for name, number in pairs}


_ALLOWED = {"x86_64": _ALLOWED_X86_64, "aarch64": _ALLOWED_AARCH64}
_REFUSED = {"x86_64": _REFUSED_X86_64, "aarch64": _REFUSED_AARCH64}
