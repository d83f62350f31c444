/** The words of each row of the table, for several values of each fact that it needs. */
import type { Facts } from '../../../lib/errors/facts';
import { TABLE } from '../../../lib/errors/table';
import { toKnownServer } from '../../../lib/servers/known-server';
import { SERVER_TYPES } from '../../../lib/servers/types';
import type { ApprovedRow } from '../../support/approved/approved-table';

const REFUSED = {
	index: 6,
	beginning: 'One',
	isUnreadable: false,
	isShortened: false,
	isNotTooLong: false,
};

const DIFY_CODES = [
	'human_input_form_expired',
	'human_input_form_submitted',
	'unsupported_audio_type',
	'audio_too_large',
	'file_too_large',
	'file_extension_blocked',
	'invalid_action',
	'not_found',
];

/** Values of each fact, by a name for the table; `true` where a fact has no other value. */
const VALUES: { readonly [Name in keyof Facts]?: Readonly<Record<string, Facts[Name]>> } = {
	namedOptions: {
		'a field': [{ label: 'Extra Body', entry: 'min_p' }],
		'an option and a field': [{ label: 'Top K' }, { label: 'Extra Body', entry: 'min_p' }],
		'a remedy': [{ label: 'Top K', remedy: 'Lower it.' }],
	},
	media: {
		jpeg: [{ mimeType: 'image/jpeg' }],
		'jpeg and webp': [{ mimeType: 'image/jpeg' }, { mimeType: 'image/webp' }],
		'a URL': [{ mimeType: undefined }],
	},
	largestPart: { part: { kind: 'input', bytes: 2_000 } },
	promptSource: { chat: 'chat', limited: 'limitedChat', text: 'text', state: 'state' },
	textNoun: { document: 'Document' },
	refusedText: {
		unreadable: { ...REFUSED, isUnreadable: true },
		shortened: { ...REFUSED, isShortened: true },
		'not too long': { ...REFUSED, isNotTooLong: true },
		refused: REFUSED,
	},
	vectorIssue: {
		missing: { kind: 'missing' },
		'one too few': { kind: 'count', sent: 13, received: 12 },
		'one too many': { kind: 'count', sent: 1, received: 2 },
		'none of one': { kind: 'count', sent: 1, received: 0 },
		'one of two': { kind: 'count', sent: 2, received: 1 },
		indexes: { kind: 'indexes' },
		'not base64': { kind: 'notBase64' },
		several: { kind: 'several' },
		sparse: { kind: 'sparse' },
		'not numbers': { kind: 'notNumbers' },
		'not finite': { kind: 'notFinite' },
		zeros: { kind: 'zeros' },
		dimensions: { kind: 'dimensions', dimensions: 2, expected: 3 },
	},
	textOfVector: { text: { index: 6, beginning: 'One' } },
	hasUsableVectors: { usable: true },
	otherDimensions: {
		dimensions: { received: 2, expected: 3, option: 'Dimensions' },
		expected: { received: 2, expected: 3, option: 'Expected Dimensions' },
	},
	recording: { wav: 'audio/wav', ogg: 'audio/ogg' },
	brokenUpload: {
		'of 1 MB': { name: 'a.pdf', fileSize: 1_000_000, sentBytes: 70_000 },
		'below 1 MB': { name: 'a.pdf', fileSize: 999_999, sentBytes: 70_000 },
	},
	convertedRules: { schema: 'schema', grammar: 'grammar', tools: 'tools' },
	hasFixedSeed: { seed: true },
	hasFormatWithTools: { 'format and tools': true },
	hasFormatTool: { 'format tool': true },
	repeatPenaltyLabel: { label: 'Repeat' },
	hasTokenOption: { 'a limit of tokens': true },
	hasOutput: { output: true },
	isRoomNegative: { 'no room': true },
	isSilentTask: { silent: true },
	wasSent: { sent: true },
	task: { embeddings: 'embeddings', rerank: 'rerank' },
	model: { m: 'm', 'no model': '' },
	server: {
		other: toKnownServer(SERVER_TYPES.other),
		llamaServer: toKnownServer(SERVER_TYPES.llamaServer),
		ollama: toKnownServer(SERVER_TYPES.ollama),
		litellm: toKnownServer(SERVER_TYPES.litellm),
	},
	lacksHeaders: { 'no headers': true },
	isCloudModel: { 'cloud model': true },
	timeoutMs: { '90 s': 90_000 },
	missedRate: { rate: 16 },
	queue: {
		'limit of the credential': { limit: 2 },
		'one slot': { limit: 0 },
		'four slots': { limit: 0, slots: 4 },
	},
	compression: {
		unknown: { encoding: 'br' },
		broken: { encoding: 'gzip', reason: 'incorrect header check' },
	},
	excess: {
		text: { of: 'text', maxBytes: 2 ** 24, isJson: false },
		values: { of: 'values', maxBytes: 2 ** 24, isJson: true },
		JSON: { of: 'bytes', maxBytes: 2 ** 24, isJson: true },
		'other bytes': { of: 'bytes', maxBytes: 2 ** 24, isJson: false },
	},
	hasExitedWhileLoading: { exited: true },
	isFixedExpression: { 'fixed text': true },
	valueSource: {
		'empty in the node': { from: 'node', problem: 'empty', isTolerant: false },
		'wrong in the node': { from: 'node', problem: 'wrong', isTolerant: false },
		'no value of an item': { from: 'expression', problem: 'empty', isTolerant: false },
		'no value, errors continue': { from: 'expression', problem: 'empty', isTolerant: true },
		'wrong in an item': { from: 'expression', problem: 'wrong', isTolerant: false },
		'wrong in a part': { from: 'part', problem: 'wrong', isTolerant: false },
	},
	missingItemField: {
		text: { name: 'text', label: 'Prompt', isOfError: false, source: { kind: 'item' } },
		'of an error': { name: 'a b', label: 'Prompt', isOfError: true, source: { kind: 'item' } },
		'of a chat': {
			name: 'chatInput',
			label: 'Prompt',
			isOfError: false,
			source: { kind: 'chat', trigger: 'My Chat' },
		},
		'of no chat': {
			name: 'chatInput',
			label: 'Prompt',
			isOfError: false,
			source: { kind: 'chat' },
		},
	},
	modelCommand: {
		pull: { kind: 'pull', hasBegun: false },
		'pull that began': { kind: 'pull', hasBegun: true },
		remove: { kind: 'remove', isRouter: false },
		'remove of a router': { kind: 'remove', isRouter: true },
	},
	modelActionIssue: {
		'single model': { kind: 'singleModel' },
		'not offered': { kind: 'notOffered', offered: ['b', 'c'] },
		exited: { kind: 'exited', exitCode: 139 },
		'not loaded': { kind: 'notDone', action: 'load', afterMs: 90_000 },
		'in memory': { kind: 'inMemory', afterMs: 90_000 },
		'busy now': { kind: 'busy', requests: 1 },
		'busy for long': { kind: 'busy', requests: 2, afterMs: 90_000 },
		'perhaps busy': { kind: 'busy', afterMs: 90_000 },
		'not downloaded': { kind: 'notDownloaded' },
		'download ended': { kind: 'downloadEnded' },
	},
	unsupportedAction: {
		load: { action: 'load', supporting: ['Ollama'] },
		pull: { action: 'pull', supporting: ['Ollama'] },
	},
	listIssue: {
		empty: { kind: 'empty', hasKey: false },
		'empty for a key': { kind: 'empty', hasKey: true },
		'none for images': { kind: 'noneFor', purpose: 'images', task: 'images' },
		'too long': { kind: 'tooLong', count: 70_000, maximum: 50_000 },
		'no reranking': { kind: 'noReranking' },
	},
	listsNoVoices: { 'no voices': true },
	modelLack: { tools: 'tools', images: 'images' },
	decisionModel: { m: 'm' },
	resultIssue: {
		'no answers': { kind: 'noAnswers' },
		answers: {
			kind: 'answers',
			problems: [
				{ question: 'a', problem: 'is missing' },
				{ question: 'b', problem: 'is not an object' },
			],
		},
		ranking: { kind: 'ranking', problem: 'the response contains no scores' },
		'no transcript': { kind: 'noTranscript' },
		'no image': { kind: 'noImage' },
		'too many images': { kind: 'tooManyImages', count: 11, maximum: 10 },
		'not an image': { kind: 'notAnImage', received: 'a web page' },
		'no audio': { kind: 'noAudio', bytes: 2 },
		'not audio': { kind: 'notAudio', received: 'a web page' },
	},
	untakenMedia: { audio: 'audio', 'image URL': 'imageUrl' },
	plainStream: { 'text/plain': 'text/plain' },
	tooManyCalls: { 100: 100 },
	invalidCalls: {
		'not connected': {
			calls: [{ type: 'unknownTool', tool: 'f', details: '' }],
			connected: ['g', 'h'],
		},
		missing: { calls: [{ type: 'missingArguments', tool: 'f', details: 'a, b' }] },
		unknown: { calls: [{ type: 'unknownArguments', tool: 'f', details: 'a, b' }] },
		ambiguous: { calls: [{ type: 'ambiguousArguments', tool: 'f', details: 'a' }] },
		invalid: { calls: [{ type: 'invalidArguments', tool: 'f', details: 'a is a text' }] },
		broken: { calls: [{ type: 'brokenArguments', tool: 'f', details: '"{"' }] },
	},
	rejectedCall: { look: { name: 'look', reason: 'noEnd' } },
	responseEnd: {
		unknown: { shownLength: 0 },
		full: { shownLength: 0, isContextFull: true },
		limited: { shownLength: 0, maxTokens: 100, isContextFull: false },
		either: { shownLength: 0, maxTokens: 100 },
	},
	isCutOff: { 'cut off': true },
	hasOnlyBegun: { begun: true },
	cutJson: { 'cut JSON': true },
	wrongJson: { 'wrong JSON': ['a is missing', 'b is a text'] },
	difyIssue: {
		'no object': { kind: 'noObject' },
		'no list': { kind: 'noList' },
		'no file ID': { kind: 'noFileId' },
		'no document ID': { kind: 'noDocumentId' },
		'no download URL': { kind: 'noDownloadUrl' },
		'no audio': { kind: 'noAudio' },
		'not audio': { kind: 'notAudio', received: 'a web page' },
		'large list': { kind: 'largeList', path: '/datasets', maxBytes: 2 ** 26 },
		'long list': { kind: 'longList', path: '/datasets', pages: 1000, pageSize: 100 },
		'large files': { kind: 'largeFiles', maxBytes: 2 ** 26 },
		'metadata field': { kind: 'metadataField', name: 'a' },
		'indexing paused': { kind: 'indexingPaused' },
	},
	runIssue: {
		'paused chatflow': { kind: 'paused', app: 'chatflow', nodes: [] },
		'paused at nodes': { kind: 'paused', app: 'workflow', nodes: ['Ask', 'Approve'] },
		unreported: { kind: 'unreported', runId: 'R', afterMs: 90_000 },
		'total timeout': { kind: 'totalTimeout', afterMs: 90_000 },
		'only pings': { kind: 'idleTimeout', afterMs: 90_000, onlyPings: true },
		nothing: { kind: 'idleTimeout', afterMs: 90_000, onlyPings: false },
		cancelled: { kind: 'cancelled', reason: 'the response could not be passed on: gone' },
	},
	slowIndexing: {
		'90 s': { documentId: 'D', status: 'indexing', afterMs: 90_000, done: 2, total: 9 },
	},
	embeddingModel: { 'bge-m3': { name: 'bge-m3', provider: 'langgenius/ollama/ollama' } },
	isRunEvent: { 'event of a run': true },
	isDocumentDownload: { 'of a document': true },
	signedFileObstacle: {
		'no URL': { kind: 'noUrl', text: 'a b' },
		'other protocol': { kind: 'otherProtocol', protocol: 'ftp:' },
		'other origin': { kind: 'otherOrigin', origin: 'https://files.example.com' },
	},
	inputKind: { field: 'field', option: 'option', empty: 'emptyField' },
	root: { root: 'http://gpu:8080' },
	lacksRoutes: { 'lacks routes': true },
	isUnprovenAddress: { unproven: true },
	mayLackModel: { 'may lack it': true },
	mayHaveKeyBehind: { 'may have a key behind it': true },
	mayHaveModelBehind: { 'may have a model behind it': true },
	isListedForKey: { listed: true },
	isInKnownList: { listed: true },
	otherModels: { none: [], two: ['b', 'c'] },
	isModelMissing: { missing: true },
	contextSizes: {
		'4096 of 32768': { current: 4096, trained: 32768, slots: 2 },
		'4096 of 4096': { current: 4096, trained: 4096, slots: 1 },
		unknown: { current: undefined, trained: Infinity, slots: undefined },
	},
	cutInput: {
		'in a context': {
			processed: 2048,
			characters: 40_000,
			context: 4096,
			needed: { serverType: 'llamaServer', tokens: 16_384, slots: 2 },
		},
		'no larger context': {
			processed: 2048,
			characters: 40_000,
			needed: { serverType: 'vllm' },
		},
	},
	service: { Dify: 'dify' },
	isDifyCloud: { 'Dify Cloud': true },
	missingObject: {
		'knowledge base': { kind: 'knowledgeBase', id: 'K' },
		document: { kind: 'document', id: 'D' },
		chunk: { kind: 'chunk', id: 'C' },
	},
	unacceptedFiles: {
		disabled: { names: ['a.zip'], obstacle: { type: 'disabled' } },
		kind: { names: ['a.zip'], obstacle: { type: 'kind', accepted: ['images', '.pdf'] } },
		'kind of a field': {
			names: ['a.zip'],
			obstacle: { type: 'kind', accepted: ['images'] },
			formField: 'Docs',
		},
		'only URLs': { names: ['a.zip'], obstacle: { type: 'urlsOnly' } },
		'only uploads': { names: ['a.zip'], obstacle: { type: 'uploadsOnly' } },
		size: { names: ['a.zip'], obstacle: { type: 'size', maxMegabytes: 15 } },
		count: { names: ['a', 'b'], obstacle: { type: 'count', maxFiles: 1 } },
	},
	namedParameter: { query: 'Query' },
	difyCode: Object.fromEntries(DIFY_CODES.map((code) => [code, code])),
	otherApp: { workflow: { name: 'a workflow', node: 'Dify Workflow' } },
	failedNode: {
		tool: { name: 'Search', type: 'tool' },
		'http-request': { name: 'Get', type: 'http-request' },
		llm: { name: 'LLM', type: 'llm' },
	},
	missingValues: { two: { names: ['a', 'b'], example: { a: 'yes', b: '…' } } },
	unreadableFile: { gone: { name: 'a.pdf', reason: 'it is gone' } },
	unstoredFile: { minute: { name: 'a.pdf', waitedMs: 60_000 } },
	isBeforeRun: { 'before a run': true },
	checkedService: { modelServer: 'modelServer', dify: 'dify' },
	isTestGeneration: { test: true },
	isConnected: { connected: true },
	status: { 404: 404, 501: 501 },
	hasNoSentence: { 'no sentence': true },
	isModelServer: { 'model server': true },
	isRightAddress: { 'right address': true },
	isAboutMedia: { 'about media': true },
	hasPlainAdvice: { plain: true },
	isRouteMissing: { 'route missing': true },
	isEmptyBody: { empty: true },
	promptTokens: { '3000 tokens': 3000, '9000 tokens': 9000 },
	contextTokens: { 'of 4096': 4096 },
	responseTokens: { '1097 more': 1097, '4096 more': 4096, '100 more': 100 },
};

/** Values of the facts of a row. */
interface Combination {
	names: readonly string[];
	facts: Readonly<Record<string, unknown>>;
}

/** All combinations of the values of some facts. */
export const combineFacts = (needs: ReadonlyArray<keyof Facts>): Combination[] =>
	needs.reduce<Combination[]>(
		(all, need) =>
			all.flatMap(({ names, facts }) =>
				Object.entries(getValues(need)).map(([name, value]) => ({
					names: [...names, name],
					facts: { ...facts, [need]: value as unknown },
				})),
			),
		[{ names: [], facts: {} }],
	);

function getValues(name: keyof Facts): Readonly<Record<string, unknown>> {
	const values = VALUES[name];
	if (values === undefined) throw new Error(`The fact ${name} has no values in table-texts.ts`);
	return values;
}

/** Rows of the table of texts: one for each advice of a row. */
export const listTableTexts = (): ApprovedRow[] =>
	TABLE.flatMap(({ types, needs, becomes, tell }): ApprovedRow[] => {
		const ofTypes = types.length > 9 ? 'many types' : types.join(', ');
		const subject = `${ofTypes} with ${needs.join(', ')}`;
		const byWords = new Map<string, string[]>();
		for (const { names, facts } of combineFacts(needs)) {
			const words = tell(facts as unknown as Facts, 'As its type says.');
			const text = typeof words === 'string' ? words : (JSON.stringify(words) ?? 'none');
			byWords.set(text, [...(byWords.get(text) ?? []), names.join(', ')]);
		}
		const result = becomes === undefined ? '' : ` becomes ${becomes}`;
		return [...byWords].map(([words, names]) => ({
			input: `${subject}${result}: ${names.join(' | ')}`,
			outcome: words,
		}));
	});
