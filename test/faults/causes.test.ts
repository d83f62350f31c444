/**
 * Every operation meets every cause: the same cause has the same title everywhere, and no suggestion names an option that
 * the operation does not have, or a server that it does not talk to.
 */
import { SERVER_TEXTS } from '../../lib/errors/chapters/server-texts';
import { ERROR_TYPES, getErrorText } from '../../lib/errors/error-types';
import { listTableTexts } from '../lib/errors/table-texts';
import { useClock } from '../guarantees/support/fake-clock';
import { takeSome } from '../support/jest/properties';
import { startScripted } from '../support/servers/scripted-server';
import { CAUSES } from './causes.cases';
import type { Cause } from './causes.cases';
import { createCredential, expectNoProblems, findException, passUntilEnded } from './harness';
import { listOperations } from './operations';
import type { Operation, OperationResult } from './operations';

/** Titles of an operation that names its own part of the request. */
const OWN_TITLES: ReadonlyArray<readonly [pattern: RegExp, reason: string]> = [
	[
		/a prompt that is too long: .*(?:rerank|embed|LocalEmbeddings|LocalReranker)/i,
		'names the text',
	],
];

/** Operations for which the response means something else. */
const OTHER_CAUSES: ReadonlyArray<readonly [pattern: RegExp, reason: string]> = [
	[/a missing model: .* model (?:load|unload|pull|delete)$/, 'the type of the server is not known'],
];

/** What the table, the last rows of all types and all server types advise. */
const ADVICE: readonly string[] = [
	...listTableTexts().map(({ outcome }) => String(outcome).replaceAll('\\"', '"')),
	...ERROR_TYPES.map((type) => getErrorText(type).suggestion),
	...Object.values(SERVER_TEXTS).flatMap(({ suggestions = {} }) => Object.values(suggestions)),
];

/** Whether a text names a label: in quotation marks, or as words that only a label has. */
function namesLabel(text: string, label: string): boolean {
	const isPlainWord = !label.includes(' ');
	return text.includes(`"${label}"`) || (!isPlainWord && text.includes(label));
}

/** Sentences leave out units. */
const toNames = (labels: readonly string[]): string[] =>
	labels.flatMap((label) => [label, label.replace(/ \(\w+\)$/, '')]);

/** Labels of any operation that some advice names. */
const listNamedLabels = (): string[] =>
	[...new Set(operations.flatMap(({ labels }) => toNames(labels)))].filter((label) =>
		ADVICE.some((text) => namesLabel(text, label)),
	);

/** Advice about files, for operations without them. */
const ABOUT_FILES = /\bfiles?\b/i;

/** Labels of fields with files. */
const FILE_LABEL = /\b(?:files?|images?|audio|binary)\b/i;

/** Servers that were not recognized and that no message names. */
const FOREIGN = /\bUse (?:GPUStack|vLLM|LiteLLM|Ollama|LM Studio)\b/;

const clock = useClock();
let operations: Operation[];
beforeAll(async () => {
	operations = await listOperations();
});

interface Shown {
	type: string;
	title: string;
	suggestion: string;
}

interface Failure {
	message: string;
	description?: string;
	type?: string;
	context?: { data?: { type?: string }; descriptionTemplate?: string };
}

function readFailure({ message, description = '', type, context }: Failure): Shown {
	return {
		type: type ?? context?.data?.type ?? '',
		title: message,
		suggestion: `${description} ${context?.descriptionTemplate ?? ''}`,
	};
}

/** The error of an item, or the first finding of a check. */
function readResult({ items, returned }: OperationResult): Shown | undefined {
	interface Json {
		error?: Failure;
		findings?: Array<{ id: string; detail: string; suggestion: string }>;
		health?: Json;
	}
	const polled = returned?.[0] as { items?: Array<Array<{ json: Json }>> } | undefined;
	const all = (items ?? polled?.items) as Array<Array<{ json: Json }>> | undefined;
	const result = all?.flat()[0]?.json;
	if (result?.error !== undefined) return readFailure(result.error);
	const finding = (result?.findings ?? result?.health?.findings)?.[0];
	return finding && { type: finding.id, title: finding.detail, suggestion: finding.suggestion };
}

async function runAll(
	{ status, headers, body, isModel }: Cause,
	played: readonly Operation[],
): Promise<Map<Operation, Shown>> {
	let activity = 0;
	const type = /^[{[]/.test(body) ? 'application/json' : 'text/html';
	const { url, close } = await startScripted(
		(_request, response) => {
			response.writeHead(status, { 'content-type': type, connection: 'close', ...headers });
			response.end(body);
		},
		{ onArrival: () => void activity++ },
	);
	const shown = new Map<Operation, Shown>();
	const works = new Map<string, Promise<unknown>>();
	for (const operation of played) {
		if (isModel && operation.service === 'dify') continue;
		const { name } = operation;
		// The facts about a server are cached by its address.
		const path = encodeURIComponent(name).replaceAll('%', '');
		const credentials = [
			createCredential(operation, { url: `${url}/${path}`, key: 'x'.repeat(24) }),
		];
		const work = operation.run({ credentials, continueOnFail: false }).then(
			(result) => readResult(result),
			(error: Failure) => readFailure(error),
		);
		works.set(
			name,
			work.then((failure) => failure && shown.set(operation, failure)),
		);
	}
	const servers = [{ activity: () => activity }];
	const pending = await passUntilEnded(works, { clock, servers, maxMs: 700_000 });
	await close();
	expect(pending).toEqual([]);
	return shown;
}

test.each(CAUSES)('$name: one title, and advice that can be followed', async (cause) => {
	const played = takeSome(operations, CAUSES.indexOf(cause));
	const shown = await runAll(cause, played);
	expect(shown.size).toBeGreaterThan(played.length * (cause.isModel ? 0.1 : 0.7));
	const problems: string[] = [];
	const namedLabels = listNamedLabels();
	expect(namedLabels.length).toBeGreaterThan(8);
	const titles = new Map<string, string>();
	for (const [{ name, labels, service }, { type, title, suggestion }] of shown) {
		const isOther = findException(OTHER_CAUSES, `${cause.name}: ${name}`) !== undefined;
		if (isOther) continue;
		if (!cause.types.includes(type)) problems.push(`${name}: ${type} (${title})`);
		else if (findException(OWN_TITLES, `${cause.name}: ${name}`) === undefined) {
			const ownTitle = title.replace(' "a-model"', '');
			const known = titles.get(service) ?? ownTitle;
			titles.set(service, known);
			if (ownTitle !== known) problems.push(`${name}: "${title}" instead of "${known}"`);
		}
		for (const label of namedLabels)
			if (namesLabel(suggestion, label) && !toNames(labels).includes(label))
				problems.push(`${name} has no option ${label}: ${suggestion}`);
		const isAboutFiles = type === 'requestTooLarge' && ABOUT_FILES.test(suggestion);
		if (isAboutFiles && !labels.some((label) => FILE_LABEL.test(label)))
			problems.push(`${name} has no files: ${suggestion}`);
		if (FOREIGN.test(suggestion)) problems.push(`${name}: ${suggestion}`);
	}
	expectNoProblems(problems);
});

/** Names of `Object.prototype`, and of what a name may become. */
const PROTOTYPE_NAMES = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__'];

/** An error of a model server and of Dify at once, with a code that no table has. */
const createCodeCause = (code: string): Cause => ({
	name: code,
	status: 400,
	body: JSON.stringify({
		error: { message: 'no', code, type: code },
		code,
		message: 'no',
		status: 400,
	}),
	types: [],
});

test('a code that each object has is a code as any other', async () => {
	const toRows = (shown: ReadonlyMap<Operation, Shown>, code: string) =>
		[...shown].map(([{ name }, failure]) =>
			`${name}: ${JSON.stringify(failure)}`
				.replaceAll(code, 'code')
				.replace(/127\.0\.0\.1:\d+/g, 'server'),
		);
	const played = takeSome(operations);
	const expected = toRows(await runAll(createCodeCause('a_new_code'), played), 'a_new_code');
	expect(expected.length).toBeGreaterThan(0.7 * played.length);
	for (const code of PROTOTYPE_NAMES) {
		const rows = toRows(await runAll(createCodeCause(code), played), code);
		expectNoProblems(rows.filter((row) => !expected.includes(row)));
		expect(rows).toHaveLength(expected.length);
	}
});
