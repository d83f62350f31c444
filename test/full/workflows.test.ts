/** The example workflows that need more than scripted servers, and a failing alert of one of them. */
import { listen } from '../support/listen';
import { fs, http, path } from '../support/node-builtins';
import { example, postgresCredential, RUN_IN_FULL, type Wiring } from '../e2e/support/examples';
import { startLlamaServer, workFolder, type Execution } from '../e2e/support/playground';
import {
	activated,
	after,
	anyExecution,
	sendChatMessage,
	call,
	describeExamples,
	itemsOf,
	lastExecution,
	localCredential,
	often,
	promptsOf,
	scripted,
	SLOW,
	startTheN8n,
	stored,
	theN8n,
} from '../e2e/support/run-examples';
import { until } from '../e2e/support/until';
import { startEmbeddingServer, startPostgres, startRerankServer } from './support/parts';

/** The only folder that n8n may read files from. */
let folder: string;

/** Creates three files and a chat that responds from them once they are stored. */
async function chatWithFolder(name: string, others: Wiring['others'] = {}): Promise<string> {
	const files = {
		'opening.md': 'A cat sits on the mat of our shop from 9 to 5.',
		'animals.txt': 'A kitten is lying on a rug.',
		'report.md': 'Quarterly revenue grew by ten percent.',
	};
	const chat = await scripted([
		{ last: 'tool', reply: 'On the mat, says opening.md.' },
		{ reply: call('Knowledge', { input: 'Where does the cat sit?' }) },
	]);
	const [embeddings, reranker] = [await startEmbeddingServer(), await startRerankServer()];
	after(async () => await Promise.all([embeddings.stop(), reranker.stop()]));
	const workflow = await activated(name, {
		local: {
			'Local Chat Model': await localCredential(chat, 'Chat'),
			'Local Embeddings': await localCredential(embeddings, 'Embeddings'),
			'Local Reranker': await localCredential(reranker, 'Reranker'),
		},
		model: {
			'Local Chat Model': chat.model,
			'Local Embeddings': 'test-embedding',
			'Local Reranker': 'test-reranker',
		},
		others,
		change: { 'Read the folder': { fileSelector: `${folder}/*.{md,txt,pdf}`, options: {} } },
	});
	const fill = async () => {
		const filled = await theN8n().waitForExecution(await theN8n().runWorkflow(workflow, 'Start'));
		expect(filled.data.resultData.error).toBeUndefined();
		expect(itemsOf(filled, 'Store')).toHaveLength(3);
	};
	// In an empty folder the samples are used.
	for (const file of fs.readdirSync(folder)) fs.rmSync(path.join(folder, file));
	await fill();
	await sendChatMessage(workflow, 'Until when are you open on Saturday?', 'samples');
	const found = promptsOf(await lastExecution(workflow.id), 'Local Chat Model');
	for (const part of ['opening-hours.md', 'on Saturday from 9 to 13', 'returns.md', 'repairs.txt'])
		expect(found).toContain(part);
	// After filling twice, every file is stored once, and the samples are deleted.
	for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, file), text);
	await fill();
	await fill();
	const answer = await sendChatMessage(workflow, 'Where does the cat sit?');
	expect(answer).toBe('On the mat, says opening.md.');
	const execution = await lastExecution(workflow.id);
	const promptTexts = promptsOf(execution, 'Local Chat Model');
	for (const [file, text] of Object.entries(files)) {
		expect(promptTexts.split(text)).toHaveLength(2);
		expect(promptTexts).toContain(file);
	}
	for (const part of ['opening-hours.md', 'returns.md', 'repairs.txt'])
		expect(promptTexts).not.toContain(part);
	expect(logOf(execution, 'Local Reranker')).toMatchObject([{ returned: 3 }]);
	return answer;
}

/** Entries of a sub-node's log, by call. */
const logOf = ({ data }: Execution, node: string) =>
	data.resultData.runData[node]!.map((entry) => Object.values(entry.data!)[0]![0]![0]!.json);

const RUNS: Record<string, () => Promise<string>> = {
	'rag-with-pgvector': async () => {
		const credential = await stored(postgresCredential((await startPostgres()).port));
		const postgres = { type: 'postgres', credential } as const;
		return await chatWithFolder('rag-with-pgvector', {
			'Drop old table': postgres,
			Store: postgres,
			Knowledge: postgres,
		});
	},
};

describe('an alert of health-watch', () => {
	it(
		'that could not be sent is sent after a later check, even if the server is healthy again',
		async () => {
			const server = await startLlamaServer();
			let isBroken = true;
			const received: string[] = [];
			const chat = http.createServer((request, response) => {
				let body = '';
				request.on('data', (piece: Buffer) => (body += piece.toString()));
				request.on('end', () => {
					if (!isBroken) received.push(body);
					response
						.writeHead(isBroken ? 500 : 200, { 'content-type': 'application/json' })
						.end('{}');
				});
			});
			const port = await listen(chat);
			after(async () => {
				await new Promise((resolve) => chat.close(resolve));
			});
			const watch = example('health-watch', {
				local: await localCredential(server),
				change: { 'Every 5 minutes': often },
			});
			const send = {
				type: 'n8n-nodes-base.httpRequest',
				typeVersion: 4.2,
				parameters: {
					method: 'POST',
					url: `http://127.0.0.1:${port}/`,
					sendBody: true,
					contentType: 'raw',
					rawContentType: 'text/plain',
					body: '={{ $json.text }}',
					options: {},
				},
			};
			const nodes = watch.nodes.map((node) =>
				node.name === 'Send message' ? { ...node, ...send } : node,
			);
			const { id } = await theN8n().createWorkflow({ ...watch, nodes });
			await theN8n().activate(id);
			after(async () => {
				await theN8n().request('POST', `/rest/workflows/${id}/deactivate`, {});
			});
			const failures = async () =>
				await theN8n().listExecutions({ workflowId: id, status: ['error'], limit: 100 });
			await anyExecution(id);
			await server.stop();
			await until(failures, ({ length }) => length > 0);
			await scripted([{ reply: 'x' }], { port: server.port });
			const failed = (await failures()).length;
			await until(failures, ({ length }) => length > failed);
			isBroken = false;
			await until(
				async () => await Promise.resolve(received),
				({ length }) => length > 0,
			);
			expect(received[0]).toMatch(/is unreachable\n[\s\S]*is healthy again/);
			// Reported once: the next checks report nothing.
			const done = async () =>
				await theN8n().listExecutions({ workflowId: id, status: ['success'], limit: 100 });
			const before = (await done()).length;
			await until(done, ({ length }) => length > before + 1);
			expect(received).toHaveLength(1);
		},
		SLOW,
	);
});

describeExamples(RUN_IN_FULL, RUNS, async () => {
	folder = workFolder('knowledge');
	await startTheN8n({ env: { N8N_RESTRICT_FILE_ACCESS_TO: folder } });
});
