/** The example workflows with Dify's workflows and knowledge bases. */
import {
	addDataset,
	addDocument,
	appKey,
	knowledgeKey,
	type AppSpec,
	type DifySim,
	type Step,
} from '../servers/dify';
import { reply, startLlamaServerSim, type LlamaServerSim } from '../servers/llama-server';
import { fs, path } from '../support/node';
import { DIFY_NODE_EXAMPLES, example, smtpCredential, type Named } from '../e2e/support/examples';
import { mailServer, unfolded } from '../e2e/support/mail-server';
import { workFolder } from '../e2e/support/playground';
import {
	activated,
	after,
	asked,
	describeExamples,
	dify,
	itemsOf,
	lastExecution,
	localCredential,
	started,
	startTheN8n,
	stored,
	theN8n,
} from '../e2e/support/run-examples';
import { until } from '../e2e/support/until';

const START: Step = { node: { id: 'start', type: 'start', title: 'Start' } };
/** The only folder that n8n may read files from. */
const folder = workFolder('dify-knowledge');

const keyOf = async (
	sim: DifySim,
	apiKey: string,
	keyType: 'app' | 'knowledge' = 'app',
): Promise<Named> =>
	await stored({ name: 'My Dify', type: 'difyApi', data: { baseUrl: sim.url, apiKey, keyType } });
const app = async (mode: 'chat' | 'workflow', spec: Partial<AppSpec>): Promise<DifySim> =>
	await dify({ apps: [{ mode, key: appKey(mode), ...spec }] });

/** A knowledge base with one text about llamas and one about the moon. */
async function animals(): Promise<{ sim: DifySim; knowledgeBase: string; credential: Named }> {
	const sim = await dify();
	const base = addDataset(sim.store, { name: 'Animals', technique: 'high_quality' });
	addDocument(sim.store, base, { name: 'llama.txt', text: 'The llama lives in the Andes.' });
	addDocument(sim.store, base, { name: 'moon.txt', text: 'Cheese is not found on the moon.' });
	return { sim, knowledgeBase: base.id, credential: await keyOf(sim, knowledgeKey(), 'knowledge') };
}

async function model(...replies: Parameters<LlamaServerSim['script']>): Promise<LlamaServerSim> {
	const sim = await startLlamaServerSim();
	after(async () => await sim.close());
	sim.script(...replies);
	return sim;
}
const askedOf = (sim: LlamaServerSim) =>
	sim.requests
		.filter((request) => request.path.endsWith('/chat/completions'))
		.map(({ body }) => JSON.stringify(body));

/** Browser's user agent: n8n treats links opened by programs as link previews of mail servers. */
const BROWSER = {
	'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36',
};

const RUNS: Record<string, () => Promise<string>> = {
	'dify-workflow-batch': async () => {
		const sim = await app('workflow', {
			form: [{ kind: 'paragraph', variable: 'text', required: true }],
			reply: ({ inputs: { text } }) => ({
				steps: [START],
				...(text === 'Where is my invoice?'
					? { fail: 'The model is gone' }
					: { outputs: { label: `on ${String(text)}` } }),
			}),
		});
		const execution = await started('dify-workflow-batch', {
			dify: await keyOf(sim, appKey('workflow')),
		});
		expect(execution.data.resultData.error).toBeUndefined();
		const failed = sim.runs.find(({ inputs }) => inputs.text === 'Where is my invoice?')!;
		const rows = itemsOf(execution, 'All rows');
		expect(rows).toMatchObject([
			{ id: 1, status: 'succeeded', outputs: { label: 'on The lamp arrived broken.' } },
			{ id: 3, status: 'succeeded', outputs: { label: 'on Thank you, the new shade fits.' } },
			{
				id: 2,
				status: 'failed',
				error: expect.stringContaining('The model is gone') as string,
				workflowRunId: failed.workflowRunId,
			},
		]);
		expect(sim.runs).toHaveLength(3);
		return JSON.stringify(rows);
	},

	'agent-with-dify-knowledge': async () => {
		const { sim, knowledgeBase, credential } = await animals();
		const chat = await model(
			reply.toolCalls([{ name: 'Company_handbook', arguments: { query: 'where llama lives' } }]),
			reply.text('In the Andes, says llama.txt.'),
		);
		const workflow = await activated('agent-with-dify-knowledge', {
			local: await localCredential(chat),
			model: 'sim-model',
			dify: credential,
			knowledgeBase,
		});
		const answer = await asked(workflow, 'Where does the llama live?');
		expect(answer).toBe('In the Andes, says llama.txt.');
		expect(sim.requests.filter(({ path: asked }) => asked.endsWith('/retrieve'))).toHaveLength(1);
		expect(askedOf(chat).at(-1)).toContain('The llama lives in the Andes.');
		return answer;
	},

	'qa-with-dify-retriever': async () => {
		const { sim, knowledgeBase, credential } = await animals();
		const chat = await model(reply.text('High in the Andes.'));
		const workflow = await activated('qa-with-dify-retriever', {
			local: await localCredential(chat),
			model: 'sim-model',
			dify: credential,
			knowledgeBase,
		});
		const { webhookId } = workflow.nodes.find(({ type }) => type.endsWith('.chatTrigger'))!;
		const ask = async () =>
			await fetch(`${theN8n().url}/webhook/${webhookId}/chat`, {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify({
					action: 'sendMessage',
					sessionId: 's',
					chatInput: 'where does the llama live',
				}),
			});
		// n8n registers a chat a moment after it activates the workflow.
		const response = await until(ask, ({ status }) => status !== 404);
		expect(await response.json()).toEqual({ output: 'High in the Andes.' });
		const [question] = askedOf(chat);
		expect(question).toContain('The llama lives in the Andes.');
		expect(sim.requests.filter(({ path: asked }) => asked.endsWith('/retrieve'))).toHaveLength(1);
		return 'High in the Andes.';
	},

	'folder-to-dify-knowledge': async () => {
		const sim = await dify();
		const base = addDataset(sim.store, { name: 'Handbook', technique: 'high_quality' });
		const write = (name: string, text: string) => fs.writeFileSync(path.join(folder, name), text);
		for (const name of ['a.md', 'b.txt', 'c.md', 'd.md', 'e.md', 'f.md'])
			write(name, `Text of ${name}`);
		const wiring = {
			dify: await keyOf(sim, knowledgeKey(), 'knowledge'),
			knowledgeBase: base.id,
			change: { 'Read the folder': { fileSelector: `${folder}/**/*.{md,txt,pdf,docx}` } },
		};
		const report = async () => {
			const execution = await started('folder-to-dify-knowledge', wiring);
			expect(execution.data.resultData.error).toBeUndefined();
			return {
				report: itemsOf(execution, 'Write the report')[0],
				told: itemsOf(execution, 'Send message').length,
			};
		};
		const first = await report();
		expect(first).toMatchObject({ report: { counts: { created: 6 }, text: '6 created' }, told: 1 });
		expect(await report()).toMatchObject({
			report: { counts: { unchanged: 6 }, changed: false },
			told: 0,
		});
		write('b.txt', 'Another text');
		fs.rmSync(path.join(folder, 'f.md'));
		expect(await report()).toMatchObject({
			report: { counts: { unchanged: 4, updated: 1, disabled: 1 } },
			told: 1,
		});
		expect(
			[...base.documents.values()].filter(({ enabled }) => !enabled).map(({ name }) => name),
		).toEqual(['f.md']);
		// More than a fifth would be deleted: nothing is changed, and the message says so.
		for (const name of ['a.md', 'b.txt', 'c.md']) fs.rmSync(path.join(folder, name));
		const stopped = await report();
		expect(stopped).toMatchObject({ report: { counts: { failed: 1 }, changed: true }, told: 1 });
		expect([...base.documents.values()].filter(({ enabled }) => enabled)).toHaveLength(5);
		return String(stopped.report!.text);
	},

	'dify-workflow-approval': async () => {
		const review = {
			nodeId: 'review',
			nodeTitle: 'Review',
			content: 'A draft about lamps',
			actions: [
				{ id: 'approve', title: 'Publish' },
				{ id: 'reject', title: 'Throw away' },
			],
		};
		let asks = true;
		const sim = await app('workflow', {
			reply: () => ({
				steps: [START, ...(asks ? [{ pause: [review] }] : [])],
				outputs: { result: 'over' },
			}),
		});
		const { port, mails } = await mailServer();
		const wiring = {
			dify: await keyOf(sim, appKey('workflow')),
			others: {
				'Ask by e-mail': { type: 'smtp' as const, credential: await stored(smtpCredential(port)) },
			},
		};
		for (const [button, action] of [
			['approved=true', 'approve'],
			['approved=false', 'reject'],
		] as const) {
			const workflow = await theN8n().createWorkflow(example('dify-workflow-approval', wiring));
			await theN8n().runWorkflow(workflow, 'Start');
			expect((await lastExecution(workflow.id)).status).toBe('waiting');
			const mail = unfolded(mails.at(-1)!);
			for (const text of ['Subject: Review', 'A draft about lamps', 'Publish', 'Throw away'])
				expect(mail).toContain(text);
			const link = [...mail.matchAll(/href="([^"]+)"/g)]
				.map(([, address]) => address!)
				.find((each) => each.includes(button))!;
			await fetch(link.replace(/^https?:\/\/[^/]+/, theN8n().url), { headers: BROWSER });
			const execution = await until(
				async () => await lastExecution(workflow.id),
				({ status }) => status !== 'waiting',
			);
			expect(execution.data.resultData.error).toBeUndefined();
			expect(itemsOf(execution, 'Result')).toEqual([
				{ status: 'succeeded', outputs: { result: 'over' } },
			]);
			const submitted = sim.requests.filter(
				({ method, path: asked }) => method === 'POST' && asked.includes('/form'),
			);
			expect(submitted.at(-1)!.json).toMatchObject({ action });
		}
		expect(sim.runs).toHaveLength(2);
		// A workflow without a form sends no mail.
		asks = false;
		const plain = await started('dify-workflow-approval', wiring);
		expect(itemsOf(plain, 'Result')).toEqual([
			{ status: 'succeeded', outputs: { result: 'over' } },
		]);
		expect(mails).toHaveLength(2);
		return 'published, thrown away, and not asked';
	},
};

describeExamples(DIFY_NODE_EXAMPLES, RUNS, async () => {
	await startTheN8n({ env: { N8N_RESTRICT_FILE_ACCESS_TO: folder } });
});
