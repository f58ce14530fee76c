"""`pyx.otp`: OTP's behaviours on processes of pyx: servers, supervisors, tasks, agents, registries, groups."""
