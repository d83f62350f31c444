import fc from '../../support/jest/fast-check';
import type { ErrorType } from '../../../lib/errors/error-types';
import { ERROR_TYPES } from '../../../lib/errors/error-types';
import { createServerError } from '../../../lib/errors/create-error';
import { defineRow } from '../../../lib/errors/chapters/row';
import type { Facts } from '../../../lib/errors/facts';
import type { FactSources } from '../../../lib/errors/investigate';
import { investigate } from '../../../lib/errors/investigate';
import { TABLE } from '../../../lib/errors/table';
import { toKnownServer } from '../../../lib/servers/known-server';
import { SERVER_TYPES } from '../../../lib/servers/types';

type FactName = keyof Facts;

/** Everything that rows need. */
const FACTS: Partial<Facts> = {
	namedOptions: [{ label: 'Extra Body', entry: 'min_p' }],
	media: [{ mimeType: 'image/webp' }],
	largestPart: { kind: 'input', bytes: 2_000 },
	promptSource: 'text',
	textNoun: 'Text',
	refusedText: {
		index: 6,
		beginning: 'One',
		isUnreadable: true,
		isShortened: false,
		isNotTooLong: false,
	},
	vectorIssue: { kind: 'zeros' },
	textOfVector: { index: 6, beginning: 'One' },
	hasUsableVectors: true,
	otherDimensions: { received: 2, expected: 3, option: 'Dimensions' },
	recording: 'audio/ogg',
	brokenUpload: { fileSize: 5_000_000, sentBytes: 70_000 },
	convertedRules: 'schema',
	hasFixedSeed: true,
	hasFormatWithTools: true,
	hasFormatTool: true,
	repeatPenaltyLabel: 'Repeat',
	hasTokenOption: true,
	hasOutput: true,
	isRoomNegative: true,
	isSilentTask: true,
	wasSent: true,
	task: 'rerank',
	model: 'a-model',
	server: toKnownServer(SERVER_TYPES.vllm),
	lacksHeaders: true,
	isCloudModel: true,
	inputKind: 'field',
	isFixedExpression: true,
	valueSource: { from: 'expression', problem: 'empty', isTolerant: false },
	missingItemField: { name: 'text', label: 'Prompt', isOfError: false, source: { kind: 'item' } },
	modelCommand: { kind: 'pull', hasBegun: false },
	modelActionIssue: { kind: 'exited' },
	unsupportedAction: { action: 'load', supporting: ['Ollama'] },
	listIssue: { kind: 'noReranking' },
	listsNoVoices: true,
	modelLack: 'tools',
	decisionModel: 'm',
	resultIssue: { kind: 'noImage' },
	untakenMedia: 'audio',
	plainStream: 'text/plain',
	tooManyCalls: 100,
	invalidCalls: { calls: [{ type: 'unknownTool', tool: 'f', details: '' }] },
	rejectedCall: { name: 'look', reason: 'noEnd' },
	responseEnd: { shownLength: 0 },
	isCutOff: true,
	hasOnlyBegun: true,
	cutJson: true,
	wrongJson: ['a is missing'],
	difyIssue: { kind: 'noObject' },
	runIssue: { kind: 'totalTimeout', afterMs: 90_000 },
	slowIndexing: { documentId: 'D', status: 'indexing', afterMs: 90_000, done: 2, total: 9 },
	service: 'dify',
	isDifyCloud: true,
	embeddingModel: { name: 'bge-m3', provider: 'ollama' },
	isRunEvent: true,
	isDocumentDownload: true,
	signedFileObstacle: { kind: 'otherOrigin', origin: 'https://files' },
	timeoutMs: 90_000,
	missedRate: 16,
	queue: { limit: 2 },
	compression: { encoding: 'br' },
	excess: { of: 'text', maxBytes: 2 ** 24, isJson: false },
	hasExitedWhileLoading: true,
	root: 'http://gpu:8080',
	lacksRoutes: true,
	isUnprovenAddress: true,
	mayLackModel: true,
	mayHaveKeyBehind: true,
	mayHaveModelBehind: true,
	isListedForKey: true,
	isInKnownList: true,
	otherModels: ['b-model'],
	isModelMissing: true,
	contextSizes: { current: 4_096, trained: 32_768, slots: 1 },
	cutInput: {
		processed: 2_048,
		characters: 40_000,
		context: 4_096,
		needed: { serverType: 'ollama', tokens: 16_384 },
	},
	missingObject: { kind: 'document', id: 'a' },
	unacceptedFiles: { names: ['a.zip'], obstacle: { type: 'size', maxMegabytes: 15 } },
	namedParameter: 'Query',
	difyCode: 'file_too_large',
	otherApp: { name: 'a workflow', node: 'Dify Workflow' },
	failedNode: { name: 'Get', type: 'http-request' },
	missingValues: { names: ['a'], example: { a: 'b' } },
	unreadableFile: { name: 'a.pdf', reason: 'gone' },
	unstoredFile: { name: 'a.pdf', waitedMs: 60_000 },
	isBeforeRun: true,
	checkedService: 'modelServer',
	isTestGeneration: true,
	isConnected: true,
	status: 404,
	hasNoSentence: true,
	isModelServer: true,
	isRightAddress: true,
	isAboutMedia: true,
	hasPlainAdvice: true,
	isRouteMissing: true,
	isEmptyBody: true,
	promptTokens: 3_000,
	contextTokens: 4_096,
	responseTokens: 4_000,
};

const NAMES = Object.keys(FACTS) as FactName[];

const toSources = (names: readonly FactName[]) =>
	Object.fromEntries(
		NAMES.map((name) => [name, () => (names.includes(name) ? FACTS[name] : undefined)]),
	) as FactSources;

const createError = (type: ErrorType) =>
	createServerError(type, { url: 'http://gpu' }, { sentence: 'The sentence of the server' });

const anyType = fc.constantFrom(...ERROR_TYPES.filter((type) => type !== 'aborted'));

test('a row is asked only if all of its facts are known, and gets exactly these', async () => {
	await fc.assert(
		fc.asyncProperty(anyType, fc.subarray(NAMES), async (type, names) => {
			const table = TABLE.map((row) => ({
				...row,
				tell: (facts: Facts, general: string) => {
					expect(Object.keys(facts).sort()).toEqual([...row.needs].sort());
					expect(names).toEqual(expect.arrayContaining([...row.needs]));
					return row.tell(facts, general);
				},
			}));
			await investigate(createError(type), toSources(names), table);
		}),
	);
});

test('without facts, an error keeps the advice of its type', async () => {
	await fc.assert(
		fc.asyncProperty(anyType, async (type) => {
			const error = createError(type);
			expect(await investigate(error, {})).toMatchObject({ type, suggestion: error.suggestion });
		}),
	);
});

test('the sentence of a server stays the title, whatever is known', async () => {
	await fc.assert(
		fc.asyncProperty(anyType, fc.subarray(NAMES), async (type, names) => {
			const { message } = await investigate(createError(type), toSources(names));
			expect(message).toBe('The sentence of the server');
		}),
	);
});

describe('each row', () => {
	const rows = TABLE.map((row, at) => ({ row, name: `${at}: ${row.needs.join(', ')}` }));

	test.each(rows)('applies to an error that has its facts: $name', async ({ row }) => {
		// Some rows are about what other facts exclude.
		const facts: Facts = {
			...(FACTS as Facts),
			refusedText: {
				index: 6,
				beginning: 'One',
				isUnreadable: true,
				isShortened: true,
				isNotTooLong: true,
			},
			task: row.needs.includes('status') ? 'rerank' : 'embeddings',
			server: toKnownServer(
				row.needs.some((name) => name.startsWith('mayHave'))
					? SERVER_TYPES.litellm
					: SERVER_TYPES.ollama,
			),
			responseTokens: row.needs.includes('promptTokens') ? 4_000 : 5_000,
		};
		expect(row.tell(facts, 'General.')).toBeDefined();
	});

	test.each(rows)('is silent without one of its facts: $name', async ({ row }) => {
		for (const missing of row.needs) {
			const sources = toSources(row.needs.filter((name) => name !== missing));
			for (const type of row.types.filter((name) => name !== 'aborted')) {
				const error = createError(type);
				expect({
					type,
					missing,
					isSame: (await investigate(error, sources, [row])) === error,
				}).toEqual({ type, missing, isSame: true });
			}
		}
	});
});

test('a fact is looked up once, and only if a row needs it', async () => {
	const looked: string[] = [];
	const count = (name: FactName) => () => {
		looked.push(name);
		return undefined;
	};
	const sources = Object.fromEntries(NAMES.map((name) => [name, count(name)])) as FactSources;
	await investigate(createError('connectionRefused'), sources);
	expect(looked.filter((name) => name !== 'refusedText')).toEqual([]);
	looked.length = 0;
	await investigate(createError('promptTooLong'), sources);
	expect(looked).toEqual([...new Set(looked)]);
	expect(looked).not.toContain('otherModels');
});

test('Stop waits for no fact', async () => {
	const server = jest.fn();
	const error = createServerError('aborted', { url: 'http://gpu' });
	expect(await investigate(error, { server })).toBe(error);
	expect(server).not.toHaveBeenCalled();
});

test('the compiler gives a row no fact that it does not need', () => {
	const row = defineRow({
		types: ['badRequest'],
		needs: ['model'],
		// @ts-expect-error a fact that the row does not need
		tell: ({ model, status }) => `${model} ${String(status)}`,
	});
	expect(row.needs).toEqual(['model']);
});
