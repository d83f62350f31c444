import process from 'node:process';

// Tests use no proxy, and no settings of the user's n8n.
for (const name of Object.keys(process.env))
	if (/^(https?|no|all)_proxy$|^N8N_/i.test(name)) delete process.env[name];

// Jest's hundred lines of each stack trace, and their positions in the source, took a twentieth of the processor's time.
Error.stackTraceLimit = 10;
