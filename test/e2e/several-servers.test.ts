import {
	llamaCredential,
	scriptedModel,
	startLlamaServer,
	startN8n,
	stopEverything,
	type Execution,
	type LlamaServer,
	type ModelCall,
	type N8nServer,
	type Workflow,
} from './support/playground';
import { agent, localModel, MANUAL, workflowOf } from './support/workflows';

const MODEL = 'Local Chat Model';
const ANSWER = 'Hello from the server that works.';
/** Nothing listens on these ports. */
const DOWN = ['http://127.0.0.1:9', 'http://127.0.0.1:19'] as const;

let n8n: N8nServer;
let working: LlamaServer;

beforeAll(async () => {
	n8n = await startN8n();
	working = await startLlamaServer({
		model: await scriptedModel([{ last: 'user', reply: ANSWER }]),
		contextSize: 2048,
	});
});
afterAll(stopEverything);

interface Named {
	id: string;
	name: string;
}

/** A credential with a first server and further ones. */
const credentialOf = async (first: string, ...further: string[]): Promise<Named> =>
	await n8n.createCredential({
		...llamaCredential(
			{ url: first },
			{ furtherServers: { server: further.map((baseUrl) => ({ baseUrl })) } },
		),
		id: undefined,
	});

async function run(workflow: Workflow): Promise<Execution> {
	return await n8n.waitForExecution(
		await n8n.runWorkflow(await n8n.createWorkflow(workflow), 'Start'),
	);
}

const chat = (credential: Named, text: string) =>
	workflowOf('Agent', { Start: MANUAL, Agent: agent(text), [MODEL]: localModel(credential) });

test('a chat model whose first server is down answers from the second one, and the log names both', async () => {
	const credential = await credentialOf(DOWN[0], working.url);
	const infos: Array<Record<string, unknown>> = [];
	// The preferred server depends on the conversation's text; for some of these it is the one that is down.
	for (let at = 0; at < 12 && !infos.some(({ notes }) => notes !== undefined); at++) {
		const { data } = await run(chat(credential, `Say hello, number ${at}`));
		const { runData } = data.resultData;
		expect(runData.Agent!.at(-1)!.data!.main![0]![0]!.json).toEqual({ output: ANSWER });
		const call = runData[MODEL]![0]!.data!.ai_languageModel![0]![0]!.json as ModelCall;
		infos.push(call.response!.generations![0]![0]!.generationInfo as Record<string, unknown>);
	}
	for (const info of infos)
		expect(info).toMatchObject({ server: working.url, model: expect.any(String) as string });
	const moved = infos.at(-1)!;
	expect(moved.passedOver).toEqual([expect.stringMatching(`^${DOWN[0]}: Nothing listens`)]);
	expect(JSON.stringify(moved.notes)).toContain(
		`${working.url} answered, because this server did not take the request`,
	);
});

test('all servers down: one error names each and says what to do', async () => {
	const execution = await run(chat(await credentialOf(...DOWN), 'Say hello'));
	const failed = execution.data.resultData.runData[MODEL]![0]!.error!;
	expect(failed.message).toBe('None of the 2 servers of the credential could take the request');
	for (const address of DOWN) expect(failed.description).toContain(address);
	expect(failed.description).toMatch(
		/1\. Nothing listens .*--host 0\.0\.0\.0.*2\. Nothing listens/s,
	);
});

test('Server Health has the result of each server and one verdict', async () => {
	const credential = await credentialOf(working.url, DOWN[0]);
	const { data } = await run(
		workflowOf('Health', {
			Start: { ...MANUAL, to: ['Server Health'] },
			'Server Health': {
				type: 'CUSTOM.serverHealth',
				parameters: { service: 'modelServer', operation: 'check', options: { timeLimit: 10 } },
				credentials: { localLlamaApi: { id: credential.id, name: credential.name } },
			},
		}),
	);
	const [healthy, unhealthy] = data.resultData.runData['Server Health']![0]!.data!.main!;
	expect(healthy).toEqual([]);
	const result = unhealthy![0]!.json as { servers: Array<{ status: string }> };
	expect(result).toMatchObject({ status: 'degraded', healthy: false });
	expect(result.servers.map(({ status }) => status)).toEqual(['healthy', 'unreachable']);
});
