/**
 * A server, or its model, that lacks a task: the title is what it says, or names the task if it says nothing, every operation
 * has the advice of this server, and no operation takes a file that cannot be read for a missing task.
 */
import { useClock } from '../guarantees/support/fake-clock';
import { sendJson, startScripted } from '../support/servers/scripted-server';
import { createCredential, expectNoProblems, passUntilEnded } from './harness';
import { listOperations } from './operations';
import type { Operation } from './operations';

/** What each operation cannot do, with the advice of vLLM. */
const TASKS: ReadonlyArray<readonly [name: string, title: RegExp, advice: RegExp]> = [
	['Local Llama vector rerank', /^vLLM cannot rerank with this model$/, /--runner pooling/],
	['LocalReranker documents', /^vLLM cannot rerank with this model$/, /--runner pooling/],
	['Local Llama text complete', /^vLLM cannot complete text with this model$/, /Use Chat instead/],
	['Local Llama audio transcribe', /^vLLM cannot transcribe audio with this model$/, /whisper/],
	['Local Llama audio speak', /^vLLM cannot speak(?: with this model)?$/, /speaches/],
	['Local Llama image generate', /^vLLM cannot generate images(?: with this model)?$/, /GPUStack/],
	['Local Llama image edit', /^vLLM cannot edit images(?: with this model)?$/, /GPUStack/],
	['Local Llama vector embed', /create embeddings|is not an embedding model$/, /--runner pooling/],
	['LocalEmbeddings query', /create embeddings|is not an embedding model$/, /--runner pooling/],
];

/** What a server without the task sends. */
interface Lack {
	status: number;
	message: string;
	/** The sentence of the server; undefined: it wrote only the phrase of a status. */
	sentence?: string;
}

const SENTENCES: readonly Lack[] = [
	{ status: 404, message: 'Not Found' },
	...['Rerank (Score) API', 'Completions API'].map((api) => ({
		status: 400,
		message: `The model does not support ${api}`,
		sentence: `The model does not support ${api}`,
	})),
	{
		status: 400,
		message: 'The model m does not support the Embeddings API',
		sentence: 'The model m does not support the Embeddings API',
	},
	{ status: 501, message: 'Not implemented' },
	{ status: 405, message: 'Method Not Allowed' },
];

const UNREADABLE: readonly string[] = [
	'Invalid or unsupported audio file.',
	'Unsupported audio format',
	'no audio data',
	'Corrupted audio file',
	'failed to read audio data',
];

const clock = useClock();
let operations: Operation[];
beforeAll(async () => {
	operations = await listOperations();
});

interface Failure {
	message: string;
	description?: string;
	context?: { descriptionTemplate?: string };
}

/** The errors of these operations on a vLLM that says this, by their names. */
async function failAll(
	names: readonly string[],
	{ status, message }: { status: number; message: string },
): Promise<Map<string, Failure>> {
	let activity = 0;
	const models = { object: 'list', data: [{ id: 'a-model', object: 'model', owned_by: 'vllm' }] };
	const { url, close } = await startScripted(
		({ method, path }, response) => {
			const isList = method === 'GET' && path.endsWith('/models');
			const body = isList ? models : { error: { message, code: status } };
			const isMissing = method === 'GET' && !isList;
			const given = isList ? 200 : isMissing ? 404 : status;
			sendJson(response, body, given, { connection: 'close' });
		},
		{ onArrival: () => void activity++ },
	);
	const failures = new Map<string, Failure>();
	const works = new Map<string, Promise<unknown>>();
	for (const operation of operations.filter(({ name }) => names.includes(name))) {
		const { name } = operation;
		const path = name.replaceAll(' ', '-');
		const credentials = [
			createCredential(operation, { url: `${url}/${path}`, key: 'x'.repeat(24) }),
		];
		const work = operation.run({ credentials, continueOnFail: false });
		works.set(
			name,
			work.catch((error: Failure) => failures.set(name, error)),
		);
	}
	const pending = await passUntilEnded(works, { clock, servers: [{ activity: () => activity }] });
	await close();
	expect(pending).toEqual([]);
	expect(failures.size).toBe(names.length);
	return failures;
}

test.each(SENTENCES)('$status, $message: each operation has its advice', async (lack) => {
	const failures = await failAll(
		TASKS.map(([name]) => name),
		lack,
	);
	const problems: string[] = [];
	for (const [name, title, advice] of TASKS) {
		const { message: shown, description = '', context } = failures.get(name)!;
		const text = `${description} ${context?.descriptionTemplate ?? ''}`;
		const isKnown = title.test(shown) || /^The server was not started for/.test(shown);
		if (lack.sentence === undefined ? !isKnown : shown !== lack.sentence)
			problems.push(`${name}: ${shown}`);
		if (!advice.test(text)) problems.push(`${name}: ${shown}: ${text}`);
	}
	expectNoProblems(problems);
});

test.each(UNREADABLE)('%s: the file is the problem', async (message) => {
	const name = 'Local Llama audio transcribe';
	const failures = await failAll([name], { status: 400, message });
	const { message: title, description } = failures.get(name)!;
	expect(title).toBe(message.replace(/\.$/, ''));
	// The title says what is wrong with it: no other server is needed.
	expect(description).toContain('File sent: "');
	expect(description).not.toMatch(/\bUse GPUStack|own credential/);
});
