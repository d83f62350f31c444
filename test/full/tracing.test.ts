import { type ExportedSpan, startOtlpReceiver } from '../simulators/otlp';
import { fs, path } from '../support/node-builtins';
import {
	llamaCredential,
	parts,
	scriptedModel,
	startLlamaServer,
	startN8n,
	stopEverything,
	textOf,
	type LlamaServer,
	type N8nServer,
} from '../e2e/support/playground';
import { writeTranscript } from './support/parts';
import { until } from '../e2e/support/until';
import {
	agent,
	calculator,
	chatTrigger,
	localModel,
	readTotals,
	workflowOf,
} from '../e2e/support/workflows';

const MODEL = 'Local Chat Model';
const DOWN = 'http://127.0.0.1:9';
const CALL = (input: string) =>
	`<tool_call>\n{"name": "Calculator", "arguments": {"input": "${input}"}}\n</tool_call>`;
const FLUSH = { OTEL_BSP_SCHEDULE_DELAY: '200' };

type Receiver = Awaited<ReturnType<typeof startOtlpReceiver>>;

let n8n: N8nServer;
let receiver: Receiver;
let server: LlamaServer;

const tracingTo = ({ url }: Receiver): Record<string, string> => ({
	N8N_OTEL_ENABLED: 'true',
	N8N_OTEL_EXPORTER_OTLP_ENDPOINT: url,
	N8N_OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Basic abc==,x-langfuse-ingestion-version=4',
	...FLUSH,
});

beforeAll(async () => {
	receiver = await startOtlpReceiver();
	n8n = await startN8n({ env: tracingTo(receiver) });
	server = await startLlamaServer({
		model: await scriptedModel([
			{ last: 'tool', reply: 'The products are 391 and 42.' },
			{ last: 'user', reply: `${CALL('17*23')}\n${CALL('6*7')}` },
		]),
		contextSize: 4096,
	});
});
afterAll(async () => {
	await stopEverything();
	await receiver.close();
});

/** A published chat with two servers, the first of which is down: for some conversations the other takes over. */
async function chatWith(
	webhookId: string,
	urls: readonly string[],
	options: Record<string, unknown> = {},
) {
	const [url, ...further] = urls as [string, ...string[]];
	const extraServers = { furtherServers: { server: further.map((baseUrl) => ({ baseUrl })) } };
	const credential = await n8n.createCredential({
		...llamaCredential({ url }, extraServers),
		id: undefined,
	});
	const workflow = workflowOf(webhookId, {
		Chat: chatTrigger(webhookId),
		Agent: { ...agent(), to: ['Totals'] },
		[MODEL]: localModel(credential, { options }),
		Calculator: calculator,
		Totals: readTotals,
	});
	const created = await n8n.createWorkflow(workflow);
	await n8n.activate(created.id);
	return created;
}

async function say(webhookId: string, text: string) {
	const lines = [];
	for await (const line of n8n.chat(webhookId, text)) lines.push(line);
	writeTranscript(`tracing-${webhookId}`, lines);
	return textOf(lines);
}

const isOurs = ({ scope }: ExportedSpan) => scope === 'n8n-nodes-local-llama';

test("an agent with two tool calls and a fail-over: the package's spans are children of n8n's", async () => {
	const trace = {
		sessionId: 'session-1',
		userId: 'anna',
		tags: 'support, test',
	};
	await chatWith('traced', [DOWN, server.url], { trace, temperature: 0 });
	// The preferred server depends on the conversation's text.
	for (
		let at = 0;
		at < 12 && !receiver.spans.some((span) => isOurs(span) && span.status.code === 2);
		at++
	) {
		receiver.spans.length = 0;
		expect(await say('traced', `Calculate both, number ${at}`)).toContain('391 and 42');
		await until(
			async () =>
				await Promise.resolve(receiver.spans.some(({ name }) => name === 'workflow.execute')),
			Boolean,
			60_000,
		);
	}
	const { spans } = receiver;
	const ours = spans.filter(isOurs);
	const modelSpans = spans.filter(({ attributes }) => attributes['n8n.node.name'] === MODEL);
	expect(modelSpans).toHaveLength(2);
	for (const span of ours) {
		expect(span).toMatchObject({
			name: 'chat test-model',
			kind: 3,
			traceId: modelSpans[0]!.traceId,
		});
		expect(modelSpans.map(({ spanId }) => spanId)).toContain(span.parentSpanId);
		expect(span.attributes).toMatchObject({
			'session.id': 'session-1',
			'user.id': 'anna',
			'langfuse.trace.tags': ['support', 'test'],
		});
	}
	const failed = ours.filter(({ status }) => status.code === 2);
	expect(failed).not.toEqual([]);
	for (const span of failed)
		expect(span.attributes).toMatchObject({ 'error.type': 'refused', 'server.port': 9 });
	const answered = ours.filter(({ status }) => status.code !== 2);
	expect(answered.map(({ attributes }) => attributes['local_llama.tool_calls'])).toEqual(
		expect.arrayContaining([['Calculator', 'Calculator'], undefined]),
	);
	for (const { attributes } of answered) {
		expect(attributes['gen_ai.usage.input_tokens']).toBeGreaterThan(0);
		expect(attributes['gen_ai.usage.output_tokens']).toBeGreaterThan(0);
		expect(attributes['gen_ai.response.time_to_first_chunk']).toBeGreaterThan(0);
	}
	expect(JSON.stringify(ours)).not.toContain('Calculate both');
	expect(receiver.requests.at(-1)).toMatchObject({
		path: '/v1/traces',
		headers: { authorization: 'Basic abc==' },
	});
	const { work: transcripts } = parts();
	fs.mkdirSync(transcripts, { recursive: true });
	fs.writeFileSync(path.join(transcripts, 'trace.json'), JSON.stringify(spans, null, '\t'));
});

test('tokens of all rounds: a Code node reads them, and the execution has them', async () => {
	const created = await chatWith('counted', [server.url]);
	expect(await say('counted', 'Calculate both')).toContain('391 and 42');
	const [ended] = await until(
		async () => await n8n.listExecutions({ workflowId: created.id, status: ['success'] }),
		(found) => found.length > 0,
	);
	const execution = await n8n.waitForExecution(ended!.id);
	const [item] = execution.data.resultData.runData.Totals![0]!.data!.main![0]!;
	const totals = item!.json as { in: string; out: string; usage: Record<string, unknown> };
	expect(totals.usage).toMatchObject({
		generations: 2,
		uncounted: 0,
		models: [expect.any(String)],
	});
	expect(Number(totals.out)).toBeGreaterThan(20);
	expect(execution).toMatchObject({
		customData: {
			llm_tokens_in: totals.in,
			llm_tokens_out: totals.out,
			llm_usage: expect.any(String) as string,
		},
	});
});

test('a collector that hangs or is down does not affect the chat', async () => {
	const hanging = await startOtlpReceiver({ hangs: true });
	await n8n.stop();
	n8n = await startN8n({ env: tracingTo(hanging) });
	await chatWith('hanging', [server.url]);
	expect(await say('hanging', 'Calculate both')).toContain('391 and 42');
	await hanging.close();
	expect(await say('hanging', 'Calculate both')).toContain('391 and 42');
});
