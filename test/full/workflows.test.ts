/** The example workflows that need more than scripted servers. */
import * as fs from 'node:fs';
import path from 'node:path';
import { postgresCredential, RUN_IN_FULL } from '../e2e/support/examples';
import type { Wiring } from '../e2e/support/examples';
import { workFolder } from '../e2e/support/playground';
import type { Execution } from '../e2e/support/playground';
import {
	activated,
	after,
	sendChatMessage,
	call,
	describeExamples,
	itemsOf,
	lastExecution,
	localCredential,
	promptsOf,
	scripted,
	startTheN8n,
	stored,
	theN8n,
} from '../e2e/support/run-examples';
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
		const credential = await stored(
			postgresCredential((await startPostgres({ hasVectors: true })).port),
		);
		const postgres = { type: 'postgres', credential } as const;
		return await chatWithFolder('rag-with-pgvector', {
			'Drop old table': postgres,
			Store: postgres,
			Knowledge: postgres,
		});
	},
};

describeExamples(RUN_IN_FULL, RUNS, async () => {
	folder = workFolder('knowledge');
	await startTheN8n({ env: { N8N_RESTRICT_FILE_ACCESS_TO: folder } });
});
