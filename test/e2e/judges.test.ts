/** n8n's nodes that take a chat model, and read its response as JSON. */
import { reply, startLlamaServerSim } from '../simulators/llama-server';
import type { LlamaServerSim } from '../simulators/llama-server';
import { CALLERS, runCaller, VERDICT } from './support/judges';
import {
	scriptedModel,
	startLlamaServer,
	stopEverything,
	theSharedN8n,
} from './support/playground';
import type { GateN8n, LlamaServer } from './support/playground';

let n8n: GateN8n;
let llamaServer: LlamaServer;
let ollama: LlamaServerSim;
let withoutTools: LlamaServerSim;

beforeAll(async () => {
	n8n = await theSharedN8n();
	// The scripted model finds its reply by a text of the prompt that no other node has.
	llamaServer = await startLlamaServer({
		model: await scriptedModel([{ reply: JSON.stringify(VERDICT) }], { contextLength: 8192 }),
		contextSize: 8192,
		parallel: 1,
	});
	ollama = await startLlamaServerSim({ profile: 'ollama', nCtx: 65_536 });
	withoutTools = await startLlamaServerSim({ template: 'strict', nCtx: 65_536 });
});
afterAll(async () => {
	await Promise.all([ollama.close(), withoutTools.close()]);
	await stopEverything();
});

it.each(CALLERS.slice(0, 2))('$node gets a score from the real llama-server', async (caller) => {
	expect(await runCaller(n8n, { url: llamaServer.url, caller })).toMatchObject(caller.json);
});

describe.each([
	{ what: 'Ollama', server: () => ollama },
	{ what: 'a server whose template has no tools', server: () => withoutTools },
])('on $what', ({ server }) => {
	it.each(CALLERS)('$node reads the response', async (caller) => {
		server().script(reply.text(JSON.stringify(caller.text)));
		expect(await runCaller(n8n, { url: server().url, caller, model: 'sim-model' })).toMatchObject(
			caller.json,
		);
		expect(server().scripted).toBe(0);
	});
});
