import { setTimeout } from 'node:timers/promises';
import { asRecord, isNonEmpty } from '../../lib/values/records';
import { appKey, startDifySim } from '../simulators/dify';
import type { DifySim } from '../simulators/dify';
import { pollUntil } from '../support/waiting/deadline';
import { afterShown } from './support/paced-stream';
import {
	ENDLESS,
	chatLines,
	importWorkflow,
	llamaCredential,
	piecesOf,
	scriptedModel,
	startLlamaServer,
	startN8nWithWorker,
	stopEverything,
	textOf,
} from './support/playground';
import type { ChatLine, ExecutionData, LlamaServer } from './support/playground';
import { stopWhileBusy } from './support/stop-while-busy';
import {
	agent,
	calculator,
	chatTrigger,
	localModel,
	readTotals,
	workflowOf,
} from './support/workflows';

const MODEL = 'Local Chat Model';

let n8n: Awaited<ReturnType<typeof startN8nWithWorker>>;
let dify: DifySim | undefined;

beforeAll(async () => {
	n8n = await startN8nWithWorker();
});
afterAll(async () => {
	await stopEverything();
	await dify?.close();
});

async function credentialFor(server: LlamaServer): Promise<{ id: string; name: string }> {
	return await n8n.createCredential({ ...llamaCredential(server), id: undefined });
}

/** Output of a Code node after the model. */
function totalsIn({ resultData }: ExecutionData) {
	const [item] = resultData.runData.Totals![0]!.data!.main![0]!;
	return item!.json as { in: string; out: string; usage: Record<string, unknown> };
}

/** The data that nodes stored with an execution. n8n stores them after the execution is listed as finished. */
async function waitForCustomData(id: string): Promise<unknown> {
	let customData: unknown;
	const read = async () => {
		({ customData } = asRecord(await n8n.getExecution(id)));
	};
	await read();
	await pollUntil(
		() => isNonEmpty(asRecord(customData)),
		async () => {
			await setTimeout(100);
			await read();
		},
		() => 'the data that nodes stored with the execution',
	);
	return customData;
}

async function chat(webhookId: string, text: string, signal?: AbortSignal): Promise<ChatLine[]> {
	return await chatLines(n8n, webhookId, text, { signal });
}

// The worker executes, the main process answers the webhook: chunks travel through Redis.
describe('n8n in queue mode', () => {
	it('streams the response of an agent that calls a tool', async () => {
		const call =
			'<tool_call>\n{"name": "Calculator", "arguments": {"input": "17*23"}}\n</tool_call>';
		const model = await scriptedModel([
			{ last: 'tool', reply: 'Seventeen times twenty-three is three hundred and ninety-one.' },
			{ reply: call },
		]);
		const server = await startLlamaServer({ model, contextSize: 4096 });
		const credential = await credentialFor(server);
		await importWorkflow(
			n8n,
			workflowOf('Queued', {
				Chat: chatTrigger('queued-chat'),
				Agent: { ...agent(), to: ['Totals'] },
				[MODEL]: localModel(credential),
				Calculator: calculator,
				Totals: readTotals,
			}),
		);
		const lines = await chat('queued-chat', 'What is 17 times 23?');
		expect(textOf(lines)).toBe('Seventeen times twenty-three is three hundred and ninety-one.');
		const [execution] = await n8n.listExecutions();
		const { data } = await n8n.waitForExecution(execution!.id);
		const totals = totalsIn(data);
		expect(totals.usage).toMatchObject({ generations: 2, uncounted: 0 });
		expect(await waitForCustomData(execution!.id)).toMatchObject({
			llm_tokens_in: totals.in,
			llm_tokens_out: totals.out,
		});
		expect(n8n.worker.service.lines.join('\n')).toContain(
			`Worker started execution ${execution!.id} `,
		);
		expect(data.resultData.runData.Calculator).toHaveLength(1);
		await server.stop();
	});

	it('streams the response of a Dify app', async () => {
		const lines: ChatLine[] = [];
		const story = ['Once ', 'upon ', 'a ', 'time ', 'there ', 'was ', 'a ', 'queue.'];
		dify = await startDifySim({
			apps: [
				{
					mode: 'chat',
					key: appKey('chat'),
					reply: () => ({ steps: story.map((text) => ({ text })) }),
				},
			],
			stream: afterShown(lines),
		});
		const { id, name } = await n8n.createCredential({
			name: 'Dify',
			type: 'difyApi',
			data: { baseUrl: dify.url, apiKey: appKey('chat'), keyType: 'app' },
		});
		await importWorkflow(
			n8n,
			workflowOf('Queued Dify', {
				Chat: chatTrigger('queued-dify', 'Dify Chat Message'),
				'Dify Chat Message': {
					type: 'CUSTOM.difyChatMessage',
					parameters: {},
					credentials: { difyApi: { id, name } },
					to: ['Totals'],
				},
				Totals: readTotals,
			}),
		);
		await chatLines(n8n, 'queued-dify', 'Tell me a story', { lines });
		expect(piecesOf(lines)).toEqual(story);
		const [execution] = await n8n.listExecutions();
		const { data } = await n8n.waitForExecution(execution!.id);
		const totals = totalsIn(data);
		expect(totals).toMatchObject({ usage: { generations: 1, uncounted: 0 } });
		expect(Number(totals.in)).toBeGreaterThan(0);
		// n8n's own nodes may store longer values; this package's nodes do not.
		expect(n8n.worker.service.lines.join('\n')).not.toContain('Custom data value');
	});

	it('Stop reaches the model server through the worker', async () => {
		const server = await startLlamaServer({
			contextSize: 65_536,
			parallel: 1,
		});
		const credential = await credentialFor(server);
		const { id } = await importWorkflow(
			n8n,
			workflowOf('Queued and stopped', {
				Chat: chatTrigger('queued-stop'),
				Agent: agent(),
				[MODEL]: localModel(credential, { options: { maxTokens: -1, extraBody: ENDLESS } }),
			}),
		);
		const reader = new AbortController();
		const reading = chat('queued-stop', 'Never stop', reader.signal).catch(() => []);
		expect(await stopWhileBusy(n8n, server, id)).toBe(false);
		reader.abort();
		await reading;
	});
});
