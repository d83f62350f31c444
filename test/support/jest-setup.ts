import { process } from './node';

// Tests talk to this machine only, and to no n8n of the user's.
for (const name of Object.keys(process.env)) if (/^(https?|no|all)_proxy$|^N8N_/i.test(name)) delete process.env[name];
