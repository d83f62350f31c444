/**
 * The files of docs/monitoring on the real n8n, the real llama-server and, where the machine has one, the real
 * Prometheus. A stand-in follows the configuration of the collector.
 */
import { startOtlpReceiver } from '../servers/otlp';
import { metricsOf } from '../servers/span-metrics';
import { listen } from '../support/listening';
import { metricsIn, queries, rules, spanMetrics } from '../support/monitoring';
import { delay, http, process } from '../support/node';
import {
	chatLines,
	importWorkflow,
	llamaCredential,
	startLlamaServer,
	startN8n,
	stopEverything,
	textOf,
	tinyModel,
	workFolder,
	type LlamaServer,
	type N8nServer,
} from './support/playground';
import { prometheusProgram, startPrometheus, type Prometheus } from './support/prometheus';
import { until } from './support/until';
import { agent, chatTrigger, localModel, MANUAL, workflowOf } from './support/workflows';

const SLOW = 900_000;
const NOWHERE = 'http://127.0.0.1:9';
/** Drafts need a second model, which this llama-server does not have. */
const WITHOUT_DATA = ['local_llama_accepted_drafts_sum', 'local_llama_accepted_drafts_count'];

let n8n: N8nServer;
let server: LlamaServer;
let receiver: Awaited<ReturnType<typeof startOtlpReceiver>>;
let collector: http.Server;
let prometheus: Prometheus | undefined;
let collectorPort: number;

const exported = () => metricsOf(spanMetrics(), receiver.spans);

beforeAll(async () => {
	receiver = await startOtlpReceiver();
	collector = http.createServer((_request, response) => {
		response.setHeader('content-type', 'text/plain; version=0.0.4').end(exported());
	});
	collectorPort = await listen(collector);
	n8n = await startN8n({
		env: {
			N8N_METRICS: 'true',
			N8N_OTEL_ENABLED: 'true',
			N8N_OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
			N8N_OTEL_TRACES_PRODUCTION_ONLY: 'false',
			OTEL_BSP_SCHEDULE_DELAY: '200',
		},
	});
	server = await startLlamaServer({
		model: await tinyModel({ meanTokens: Infinity }),
		contextSize: 8192,
		parallel: 2,
		args: ['--metrics'],
	});
	const program = prometheusProgram();
	if (program === undefined) return;
	prometheus = await startPrometheus(program, workFolder('prometheus'), await freePort(), {
		'collector:8889': `127.0.0.1:${collectorPort}`,
		'llama:8080': `127.0.0.1:${server.port}`,
		'n8n:5678': `127.0.0.1:${n8n.port}`,
	});
}, SLOW);
afterAll(async () => {
	await prometheus?.stop();
	await stopEverything();
	await receiver.close();
	collector.closeAllConnections();
	collector.close();
}, SLOW);

async function freePort(): Promise<number> {
	const probe = http.createServer();
	const port = await listen(probe);
	await new Promise((resolve) => probe.close(resolve));
	return port;
}

/** One request at a time, and for some conversations a server that is down comes first. */
const credential = async () =>
	await n8n.createCredential({
		...llamaCredential(
			{ url: NOWHERE },
			{ maxConcurrentRequests: 1, furtherServers: { server: [{ baseUrl: server.url }] } },
		),
		id: undefined,
	});

/** Chats beside a batch, until every metric has a value that is not the first one. */
async function run(): Promise<void> {
	const { id, name } = await credential();
	const options = { maxTokens: 40, trace: { userId: 'anna' } };
	await importWorkflow(
		n8n,
		workflowOf('Watched chat', {
			Chat: chatTrigger('watched'),
			Agent: agent(),
			'Local Chat Model': localModel({ id, name }, { options }),
		}),
	);
	const rows = {
		assignments: {
			assignments: [
				{ id: '1', name: 'row', type: 'array', value: '={{ [1, 2, 3, 4, 5, 6, 7, 8] }}' },
			],
		},
	};
	const batch = await n8n.createWorkflow(
		workflowOf('Watched batch', {
			Start: { ...MANUAL, to: ['Rows'] },
			Rows: { type: 'n8n-nodes-base.set', typeVersion: 3.4, parameters: rows, to: ['Split'] },
			Split: {
				type: 'n8n-nodes-base.splitOut',
				parameters: { fieldToSplitOut: 'row', options: {} },
				to: ['Answer'],
			},
			Answer: {
				type: 'CUSTOM.localLlama',
				parameters: {
					resource: 'text',
					operation: 'chat',
					model: { __rl: true, mode: 'id', value: 'test-model' },
					prompt: '=Row {{ $json.row }}',
					options: { maxTokens: 200 },
				},
				credentials: { localLlamaApi: { id, name } },
				onError: 'continueRegularOutput',
			},
		}),
	);
	const names = queries()
		.flatMap(metricsIn)
		.filter((each) => each.startsWith('local_llama_'));
	for (let round = 0; round < 10; round++) {
		const batchId = await n8n.runWorkflow(batch, 'Start');
		for (let chat = 0; chat < 3; chat++) {
			const lines = await chatLines(n8n, 'watched', `Hello ${round} ${chat}`);
			expect(textOf(lines)).not.toBe('');
		}
		await n8n.waitForExecution(batchId);
		await delay(2000);
		const missing = names.filter(
			(each) => !WITHOUT_DATA.includes(each) && !exported().includes(`${each}{`),
		);
		if (missing.length === 0 && round > 0) return;
	}
}

const textAt = async (url: string) => await (await fetch(url)).text();

describe('docs/monitoring', () => {
	it(
		'asks for metrics that are there',
		async () => {
			await run();
			const all = [
				exported(),
				await textAt(`${server.url}/metrics`),
				await textAt(`${n8n.url}/metrics`),
			].join('\n');
			const names = [...new Set(queries().flatMap(metricsIn))];
			const missing = names.filter((name) => !new RegExp(`^${name}[{ ]`, 'm').test(all));
			// `up` is of Prometheus itself.
			expect(missing.sort()).toEqual([...WITHOUT_DATA, 'up'].sort());
		},
		SLOW,
	);

	it(
		'has queries that the real Prometheus answers with data',
		async () => {
			if (prometheus === undefined) {
				process.stdout.write('  no Prometheus on this machine: only the names were looked up\n');
				return;
			}
			const { series } = prometheus;
			// An alert gives nothing where all is well: its left side does.
			const asked = [
				...queries().filter((query) => !rules().some(({ expr }) => expr === query)),
				...rules().map(({ expr }) => expr.replace(/ (>|<|==) [\d.]+$/, '')),
			].filter((query) => !metricsIn(query).some((name) => WITHOUT_DATA.includes(name)));
			await until(
				async () => await Promise.all(asked.map(async (query) => await series(query))),
				(counts) => counts.every((count) => count > 0),
				60_000,
			).catch(() => undefined);
			const rows = await Promise.all(
				asked.map(async (query) => ({ query, series: await series(query) })),
			);
			for (const row of rows) process.stdout.write(`  ${row.series} series: ${row.query}\n`);
			expect(rows.filter((row) => row.series === 0)).toEqual([]);
			for (const { expr } of rules()) await series(expr);
		},
		SLOW,
	);
});
