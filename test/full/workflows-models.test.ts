/** The example workflows for embeddings, texts, images, audio and models. */
import { reply, startLlamaServerSim } from '../servers/llama-server';
import { startKokoroSim } from '../servers/media/kokoro';
import { startSdServerSim } from '../servers/media/sd-server';
import { startWhisperSim } from '../servers/media/whisper';
import { fs, path, process } from '../support/node';
import { example, MODEL_EXAMPLES, postgresCredential, type Wiring } from '../e2e/support/examples';
import { parts, startLlamaServer, workFolder, type Execution } from '../e2e/support/playground';
import { startEmbeddingServer, startPostgres, startRerankServer } from './support/parts';
import {
	activated,
	after,
	anyExecution,
	asked,
	call,
	describeExamples,
	itemsOf,
	labelling,
	lastExecution,
	localCredential,
	often,
	promptsOf,
	scripted,
	started,
	startTheN8n,
	stored,
	submitted,
	submittedForm,
	theN8n,
	wholeAnswer,
} from '../e2e/support/run-examples';

/** The only folder that n8n may read files from. */
let folder: string;

/** Creates three files and a chat that answers from them once they are stored. */
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
			'Local Embeddings': 'all-minilm',
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
	await asked(workflow, 'Until when are you open on Saturday?', 'samples');
	const found = promptsOf(await lastExecution(workflow.id), 'Local Chat Model');
	for (const part of ['opening-hours.md', 'on Saturday from 9 to 13', 'returns.md', 'repairs.txt'])
		expect(found).toContain(part);
	// After filling twice, every file is stored once, and the samples are gone.
	for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, file), text);
	await fill();
	await fill();
	const answer = await asked(workflow, 'Where does the cat sit?');
	expect(answer).toBe('On the mat, says opening.md.');
	const execution = await lastExecution(workflow.id);
	const told = promptsOf(execution, 'Local Chat Model');
	for (const [file, text] of Object.entries(files)) {
		expect(told.split(text)).toHaveLength(2);
		expect(told).toContain(file);
	}
	for (const part of ['opening-hours.md', 'returns.md', 'repairs.txt'])
		expect(told).not.toContain(part);
	expect(logOf(execution, 'Local Reranker')).toMatchObject([{ returned: 3 }]);
	return answer;
}

/** Entries of a sub-node's log, by call. */
const logOf = ({ data }: Execution, node: string) =>
	data.resultData.runData[node]!.map((entry) => Object.values(entry.data!)[0]![0]![0]!.json);

const RUNS: Record<string, () => Promise<string>> = {
	'rag-over-folder': async () => {
		// A folder that n8n may not read is not treated as empty.
		const hidden = {
			'Read the folder': { fileSelector: path.join(process.cwd(), 'package.json'), options: {} },
		};
		const refused = await started('rag-over-folder', { change: hidden });
		expect(refused.data.resultData.error?.message).toMatch(/not allowed|access/i);
		expect(refused.data.resultData.runData['Three samples']).toBeUndefined();
		return await chatWithFolder('rag-over-folder');
	},

	'rag-with-pgvector': async () => {
		const credential = await stored(postgresCredential((await startPostgres()).port));
		const postgres = { type: 'postgres', credential } as const;
		return await chatWithFolder('rag-with-pgvector', {
			'Forget the old': postgres,
			Store: postgres,
			Knowledge: postgres,
		});
	},

	'classify-and-route-email': async () => {
		const server = await labelling([
			[/hinge I got/, 'A'],
			[/Invoice 4711/, 'B'],
			[/barn door/, 'C'],
			[/./, 'D'],
		]);
		const execution = await started('classify-and-route-email', {
			local: await localCredential(server),
			model: 'sim-model',
		});
		expect(execution.data.resultData.error).toBeUndefined();
		expect(itemsOf(execution, 'To support')).toMatchObject([
			{ subject: 'Broken hinge', label: 'complaint' },
		]);
		expect(itemsOf(execution, 'To bookkeeping')).toMatchObject([
			{ subject: 'Invoice 4711', label: 'invoice' },
		]);
		expect(itemsOf(execution, 'To sales')).toMatchObject([
			{ from: 'otto@example.net', label: 'request' },
		]);
		expect(itemsOf(execution, 'A person decides')).toMatchObject([
			{ subject: 'YOU HAVE WON', label: null },
		]);
		// A model with low confidence: nothing is routed by a guess.
		const small = await startLlamaServer({
			model: parts().smolLm2,
			contextSize: 8192,
			parallel: 4,
		});
		after(async () => await small.stop());
		const guessed = await started('classify-and-route-email', {
			local: await localCredential(small),
		});
		expect(guessed.data.resultData.error).toBeUndefined();
		expect(itemsOf(guessed, 'A person decides')).toHaveLength(4);
		return 'complaint, invoice, request, and one for a person';
	},

	'triage-mails': async () => {
		const sim = await deciding((text) => {
			if (text.includes('lawyer')) return ['support', 0.9, 0.95];
			if (text.includes('invoice')) return ['bookkeeping', 0.9, 0.1];
			if (text.includes('barn door')) return ['sales', 0.9, 0.1];
			return ['sales', 0.4, 0.5];
		});
		const wiring = { local: await localCredential(sim), model: 'sim-model' };
		const workflow = await theN8n().createWorkflow(example('triage-mails', wiring));
		const runFrom = async (trigger: string) => {
			const execution = await theN8n().waitForExecution(
				await theN8n().runWorkflow(workflow, trigger),
			);
			expect(execution.data.resultData.error).toBeUndefined();
			return execution;
		};
		await runFrom('Make the table');
		const execution = await runFrom('Start');
		expect(itemsOf(execution, 'A person answers')).toMatchObject([{ subject: 'Broken hinge' }]);
		expect(itemsOf(execution, 'To bookkeeping')).toMatchObject([{ subject: 'Invoice 4711' }]);
		expect(itemsOf(execution, 'To sales')).toMatchObject([{ subject: 'Hinges for a barn door' }]);
		expect(itemsOf(execution, 'Keep the undecided')).toMatchObject([
			{ subject: 'Hello', route: 'sales', urgency: 'any time' },
		]);
		const questions = sim.requests.filter(({ path: route }) => route.endsWith('/systemone'));
		expect(questions).toHaveLength(4);
		return 'a person, bookkeeping, sales, and one undecided';
	},

	'measure-decisions': async () => {
		const sim = await deciding((text) => [
			text.includes('pay') ? 'bookkeeping' : 'sales',
			0.8,
			0.5,
		]);
		const real = await startLlamaServer({ model: parts().smolLm2, contextSize: 4096, parallel: 2 });
		after(async () => await real.stop());
		const execution = await started('measure-decisions', {
			local: {
				'Decision model': await localCredential(sim, 'Decisions'),
				'Ordinary model': await localCredential(real, 'Chat'),
			},
			model: { 'Decision model': 'sim-model', 'Ordinary model': real.model },
		});
		expect(execution.data.resultData.error).toBeUndefined();
		const [{ table }] = itemsOf(execution, 'Report') as [{ table: object[] }];
		expect(table).toMatchObject([
			{ way: 'sim-model (decisionModel)', rows: 20, accuracy: 0.35, calibrationError: 0.45 },
			{ way: `${real.model} (letters)`, rows: 20, calibrationError: expect.any(Number) as number },
		]);
		return JSON.stringify(table);
	},

	'extract-invoices': async () => {
		const invoice = (
			supplier: string,
			number: string,
			currency: string,
			sums: [number, number, number],
		) => ({
			supplier,
			number,
			date: '2026-03-03',
			due: null,
			currency,
			net: sums[0],
			tax: sums[1],
			total: sums[2],
		});
		const berg = invoice('Berg & Sons', '2024-117', 'EUR', [100, 19, 119]);
		const acme = invoice('ACME Ltd', 'A-88', 'USD', [500, 0, 500]);
		const initech = invoice('Initech', '9', 'EUR', [10, 1.9, 12.9]);
		const server = await startLlamaServerSim();
		after(async () => await server.close());
		const answer = ({ body }: { body?: unknown }) => {
			const text = JSON.stringify(body);
			const found = [berg, acme, initech].find(({ supplier }) => text.includes(`${supplier}`));
			return reply.text(JSON.stringify(found));
		};
		server.script(answer, answer, answer);
		const wiring = { local: await localCredential(server), model: 'sim-model' };
		const execution = await started('extract-invoices', wiring);
		expect(execution.data.resultData.error).toBeUndefined();
		expect(itemsOf(execution, 'Book')).toEqual([berg, acme]);
		expect(itemsOf(execution, 'Check by hand')).toEqual([initech]);
		// Unreadable answers do not become rows, but their text is kept.
		await server.close();
		const failed = await started('extract-invoices', wiring);
		expect(itemsOf(failed, 'Book')).toEqual([]);
		expect(itemsOf(failed, 'Check by hand')).toHaveLength(3);
		expect(itemsOf(failed, 'Check by hand')[0]).toEqual({
			text: expect.stringContaining('Berg & Sons') as string,
			problem: expect.stringMatching(/\S/) as string,
		});
		return '2 booked, 1 whose sums do not fit';
	},

	'two-servers-with-failover': async () => {
		const one = await scripted([{ reply: 'The first answers.' }], { alias: 'test-model' });
		const other = await scripted([{ reply: 'The second answers.' }], { alias: 'test-model' });
		const { id } = await theN8n().createCredential({
			name: 'Both servers',
			type: 'localLlamaApi',
			data: { baseUrl: one.url, furtherServers: { server: [{ baseUrl: other.url }] } },
		});
		const workflow = await activated('two-servers-with-failover', {
			local: { id, name: 'Both servers' },
			model: 'test-model',
			change: { 'Every 10 minutes': often },
		});
		const servers = { 'The first answers.': one, 'The second answers.': other };
		const before = (await asked(workflow, 'Who answers?', 'before')) as keyof typeof servers;
		expect(Object.keys(servers)).toContain(before);
		await servers[before].stop();
		const afterwards = await asked(workflow, 'Who answers?', 'before');
		expect(Object.keys(servers)).toContain(afterwards);
		expect(afterwards).not.toBe(before);
		const message = await untilMessage(workflow.id);
		expect(message.title).toBe('Model servers: degraded');
		expect(message.text).toMatch(/^1 of 2 servers are healthy\. /);
		expect(message.text).toContain(servers[before].url);
		return `${before} / stopped: ${afterwards}`;
	},

	'transcribe-and-summarize': async () => {
		const whisper = await startWhisperSim({
			segments: [{ text: ' We meet again on Monday.', start: 0, end: 2 }],
		});
		after(async () => await whisper.close());
		const server = await scripted([
			{ contains: 'We meet again on Monday.', reply: 'They meet on Monday.' },
		]);
		const workflow = await activated('transcribe-and-summarize', {
			local: {
				Transcribe: await localCredential(whisper, 'Hears'),
				Summarize: await localCredential(server, 'Writes'),
			},
			model: { Summarize: server.model },
		});
		const recording = Buffer.concat([Buffer.from('ID3\x04\0\0'), Buffer.alloc(3000)]);
		const page = await submitted(workflow, [
			{ name: 'meeting.mp3', type: 'audio/mpeg', bytes: recording },
		]);
		expect(page).toContain('They meet on Monday.');
		expect(whisper.forms.at(-1)!.parts[0]).toMatchObject({
			filename: 'meeting.mp3',
			size: recording.length,
		});
		return 'They meet on Monday.';
	},

	'speak-an-answer': async () => {
		const kokoro = await startKokoroSim();
		after(async () => await kokoro.close());
		const server = await scripted([{ reply: 'The sky is blue because of its air.' }]);
		const workflow = await activated('speak-an-answer', {
			local: {
				Answer: await localCredential(server, 'Writes'),
				Speak: await localCredential(kokoro, 'Speaks'),
			},
			model: { Answer: server.model },
		});
		await submittedForm(workflow, ['Why is the sky blue?']);
		const execution = await lastExecution(workflow.id);
		const [sound] = itemsOf(execution, 'Speak');
		expect(sound).toMatchObject({ fileName: 'speech.mp3', mimeType: 'audio/mpeg', bytes: 3506 });
		return `${String(sound!.fileName)}, ${String(sound!.bytes)} bytes`;
	},

	'pictures-by-form': async () => {
		const painter = await startSdServerSim();
		after(async () => await painter.close());
		const workflow = await activated('pictures-by-form', { local: await localCredential(painter) });
		await submittedForm(workflow, ['A fox in the snow', '512x512']);
		const [picture] = itemsOf(await lastExecution(workflow.id), 'Draw');
		expect(picture).toMatchObject({ fileName: 'image.png', mimeType: 'image/png' });
		expect(JSON.stringify(painter.requests.map(({ body }) => body))).toContain('A fox in the snow');
		return String(picture!.fileName);
	},
};

/** Message of the first check with a finding. */
async function untilMessage(workflowId: string): Promise<Record<string, unknown>> {
	const found = await anyExecution(
		workflowId,
		(execution) => itemsOf(execution, 'Send message').length > 0,
	);
	return itemsOf(found, 'Send message')[0]!;
}

describeExamples(MODEL_EXAMPLES, RUNS, async () => {
	folder = workFolder('knowledge');
	await startTheN8n({ env: { N8N_RESTRICT_FILE_ACCESS_TO: folder } });
});
