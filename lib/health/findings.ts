/** What may be wrong with a model server, and what to do about it. */
import type { FailureKind } from '../errors/kinds';
import { hostAndPort } from '../errors/failure';
import { remedyFor, seconds } from '../errors/remedies';
import type { ServerError } from '../errors/server-error';
import { largestOf, plainText } from '../values';
import { missingModelAdvice } from '../servers/model-names';
import { isOfDify, type Facts } from './facts';
import { described } from './probe';
import type { CheckResult, Finding, HealthStatus, ModelFacts, Severity } from './result';

/** One row of a table of findings. */
export interface FindingRow<F> {
	id: string;
	/** Default: an error. */
	severity?: 'warning' | 'info';
	/** The status that it gives the server. Default: it stays as it is. */
	status?: HealthStatus;
	/** What was observed; undefined where its case is not given. */
	when(facts: F): string | undefined;
	text: Sentence<F>;
	advice: Sentence<F>;
}

type Sentence<F> = string | ((facts: F) => string);

/** A finding, and the status that it gives the server. */
export interface Found extends Finding {
	status?: HealthStatus;
}

/** What was found out, before it is summed up. */
export interface Outcome {
	url: string | null;
	findings: Found[];
	server: CheckResult['server'];
	latencyMs: number | null;
	/** The server and its version, as people name them. */
	name: string;
	/** "2 models" */
	offer: string;
	/** Further fields of the result. */
	more: Partial<CheckResult>;
}

export function counted(count: number, noun: string): string {
	return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Tokens. Tools, memory and system prompt of an agent rarely take less (docs/protocols/llama-server.md 9.3). */
const SMALL_CONTEXT = 8_192;
const USUAL_CONTEXT = 16_384;
const SLOW_MS = 1_000;
const STUCK_ADVICE =
	'It may be reading a very long prompt: check again in a minute. If that does not change, the GPU hangs: look for ROCm, HIP or CUDA errors in the log of the server, look at rocm-smi or nvidia-smi, and restart the server.';

const LOADING_ADVICE =
	'Wait for it with the operation "Wait Until Ready". Large models on slow disks take minutes; if it never ends, read the log of the server.';

/** Why the API cannot be used. The first that fits is the only finding: whatever else is seen follows from it. */
const NO_API: ReadonlyArray<FindingRow<Facts>> = [
	{
		id: 'thisIsDify',
		status: 'misconfigured',
		when: ({ list, failed }) =>
			failed !== undefined && isOfDify(list) ? described(list) : undefined,
		text: 'Dify answers here, not a model server',
		advice: ({ url }) =>
			`Choose Dify in this node, with a "Dify API" credential whose Base URL is ${new URL(url).origin}/v1. A model behind Dify is reached at the address of its own server.`,
	},
	{
		id: 'noAnswer',
		status: 'unreachable',
		when: ({ failed }) =>
			failed?.failure.kind === 'totalLimit' ? described(failed.probe) : undefined,
		text: ({ url, limitMs }) =>
			`Nothing comes back from "${new URL(url).hostname}" within ${seconds(limitMs)}`,
		advice: ({ url }) =>
			`${remedyFor('connectTimeout', { ...hostAndPort(url), url, root: url }).remedy} If the connection comes about: the server process may be frozen (out of memory and swapping, a hung GPU driver), a port forward (Docker, ssh -L) may lead to nothing, or the server is slow or far away: raise Time Limit of a Check.`,
	},
	{
		id: 'loading',
		status: 'loading',
		when: ({ failed }) =>
			failed?.failure.kind === 'loading' ? described(failed.probe) : undefined,
		text: ({ failed }) => failed!.failure.meaning,
		advice: LOADING_ADVICE,
	},
];

/** What may be wrong with a server that answers. All that fit are told. */
export const FINDINGS: ReadonlyArray<FindingRow<Facts>> = [
	...NO_API,
	{
		id: 'moved',
		status: 'misconfigured',
		when: ({ list }) =>
			originOf(list.endedAt) === originOf(list.url) ? undefined : described(list),
		text: 'The server redirects every request to another address, which generations do not follow',
		advice: ({ list }) => `Type ${newBaseUrl(list.endedAt)} as Base URL.`,
	},
	{
		id: 'noModels',
		status: 'misconfigured',
		when: ({ told, isUnlisted, list }) =>
			told.models.length === 0 && !isUnlisted ? `${described(list)}, an empty list` : undefined,
		text: ({ hasKey }) =>
			hasKey
				? 'The server has no models, or the key may use none of them'
				: 'The server has no models',
		advice: ({ kind: { words }, hasKey }) =>
			hasKey ? `${words.noModels} Or allow the key to use a model.` : words.noModels,
	},
	{
		id: 'modelMissing',
		status: 'misconfigured',
		when: ({ expected, subject, told, isUnlisted }) => {
			const isMissing = expected.model !== undefined && subject === undefined;
			if (!isMissing || isUnlisted || told.models.length === 0) return undefined;
			return `/v1/models lists ${namesOf(told.models)}`;
		},
		text: ({ expected }) => `The server does not offer the model "${expected.model}"`,
		advice: ({ expected: { model = '' }, told, kind: { words } }) =>
			missingModelAdvice(
				told.models.map(({ id }) => id),
				words.missingModel?.(model),
			),
	},
	{
		id: 'modelLoading',
		status: 'loading',
		when: ({ expected, subject }) =>
			expected.model !== undefined && /^(?:down)?loading$/.test(subject?.state ?? '')
				? `/v1/models says ${subject!.state}`
				: undefined,
		text: ({ subject }) => `The model "${subject!.id}" is being loaded`,
		advice: LOADING_ADVICE,
	},
	{
		id: 'modelNotLoaded',
		severity: 'info',
		when: (facts) => (isNotLoaded(facts) ? `It is ${facts.subject!.state}` : undefined),
		// A router says so of a model that could not be loaded, and after a forced unload.
		text: ({ subject, exitCode }) =>
			`The model "${subject!.id}" is not loaded${exitCode === undefined ? '' : `: its last process ended with exit code ${exitCode}, since somebody unloaded it, or since it could not be loaded`}`,
		advice: ({ kind: { work } }) =>
			`The first request loads it, which takes a while, unless the router was started with --no-models-autoload.${work?.load === undefined ? '' : ' To have it ready before, use the node Local Llama: Model, Load.'}`,
	},
	{
		id: 'contextTooSmall',
		status: 'misconfigured',
		when: (facts) => {
			const context = contextOf(facts);
			return context !== undefined && context < (facts.expected.minContext ?? 0)
				? `The context of one request is ${context} tokens`
				: undefined;
		},
		text: (facts) =>
			`One request can use ${contextOf(facts)} tokens of context, but ${facts.expected.minContext} are needed`,
		advice: (facts) => moreContext(facts, facts.expected.minContext!),
	},
	{
		id: 'contextSmall',
		severity: 'warning',
		when: (facts) => {
			const context = contextOf(facts);
			const isSmall = context !== undefined && context < SMALL_CONTEXT;
			if (!isSmall || facts.expected.minContext !== undefined || !isForChats(facts))
				return undefined;
			return `The context of one request is ${context} tokens`;
		},
		text: (facts) =>
			`One request can use ${contextOf(facts)} tokens of context, which is little for agents: tools and memory alone often take 4,000`,
		advice: (facts) =>
			moreContext(facts, Math.min(USUAL_CONTEXT, facts.subject?.trainedContext ?? USUAL_CONTEXT)),
	},
	{
		id: 'toolsUnsupported',
		severity: 'warning',
		when: (facts) =>
			isForChats(facts) && takesNoTools(facts)
				? "The model's template has no tool support"
				: undefined,
		text: ({ subject }) =>
			`Agents cannot call tools with ${subject === undefined ? 'this model' : `the model "${subject.id}"`}`,
		advice: ({ kind: { words } }) => words.tools,
	},
	{
		id: 'notTold',
		severity: 'info',
		when: (facts) =>
			facts.expected.minContext !== undefined && contextOf(facts) === undefined
				? 'No answer names the context size'
				: undefined,
		text: ({ expected }) =>
			`This server does not say whether it has ${expected.minContext} tokens of context`,
		advice: 'Try it once with a real request.',
	},
	{
		id: 'queued',
		severity: 'warning',
		when: ({ told: { queue, slots } }) =>
			queue === null || queue === 0
				? undefined
				: `/metrics says ${queue} waiting, ${slots.busy ?? 'unknown'} running`,
		text: ({ told: { queue, slots } }) =>
			`${queue} ${queue === 1 ? 'request waits' : 'requests wait'} for a slot${slots.total === null ? '' : `; the server has ${slots.total}`}`,
		advice:
			'Answers come later than usual. Use fewer workflows at once, a limit in the credential (Max Concurrent Requests), or more slots (-np).',
	},
	{
		id: 'slow',
		severity: 'warning',
		when: ({ latencyMs }) =>
			(latencyMs ?? 0) > SLOW_MS
				? `The fastest answer took ${Math.round(latencyMs!)} ms`
				: undefined,
		text: ({ latencyMs }) => `The server took ${Math.round(latencyMs!)} ms for a simple answer`,
		advice:
			'The machine may be overloaded or short of memory, or the network slow. Look at it with top, and compare with ping.',
	},
	{
		id: 'partlyOnCpu',
		severity: 'warning',
		when: ({ partly }) =>
			partly.length === 0
				? undefined
				: `/api/ps says ${partly.map(({ id, percent }) => `${percent} % of ${id}`).join(', ')} in the memory of the GPU`,
		text: ({ partly: [first] }) =>
			first!.percent === 0
				? `The model "${first!.id}" runs on the CPU`
				: `Only ${first!.percent} % of the model "${first!.id}" is in the memory of the GPU`,
		advice: ({ partly: [first] }) =>
			first!.percent === 0
				? 'Ollama found no usable GPU: read the beginning of its log (ollama serve), and give the container the GPU (--gpus all, or /dev/kfd and /dev/dri for AMD).'
				: 'The rest runs on the CPU and slows everything down: use a smaller quantization or model, or a shorter context (OLLAMA_CONTEXT_LENGTH).',
	},
	{
		id: 'runsElsewhere',
		severity: 'warning',
		when: ({ subject }) =>
			subject?.remoteHost ? `/api/tags says remote_host ${subject.remoteHost}` : undefined,
		text: ({ subject }) =>
			`The model "${subject!.id}" runs on ${subject!.remoteHost}: what is sent to it leaves your network`,
		advice:
			'Choose a model whose files are on this server, without ":cloud" or "-cloud" in its tag, if texts must stay here.',
	},
	{
		id: 'sleeping',
		severity: 'info',
		when: ({ told }) => (told.sleeping === true ? '/props says is_sleeping' : undefined),
		text: 'The server is asleep: it has unloaded its model and loads it again for the next request',
		advice:
			'The first answer will take as long as loading does. Raise --sleep-idle-seconds, or leave it out, if that is too long.',
	},
	{
		id: 'unknownServer',
		severity: 'info',
		when: ({ isUnlisted, list }) => (isUnlisted ? described(list) : undefined),
		text: 'Something answers that has a route for chats, but no list of models',
		advice:
			'If chats work, all is well: type the name of the model. Otherwise check the Base URL and the port.',
	},
];

/** The findings of a model server, most important first. */
export function findingsOf(facts: Facts): Found[] {
	const { failed } = facts;
	if (failed === undefined) return findAll(FINDINGS, facts);
	const [cause] = findAll(NO_API, facts);
	return [cause ?? fromFailure(failed.failure, described(failed.probe))];
}

export function findAll<F>(rows: ReadonlyArray<FindingRow<F>>, facts: F): Found[] {
	const say = (words: Sentence<F>) => (typeof words === 'string' ? words : words(facts));
	const found = rows.flatMap(({ id, severity, status, when, text, advice }): Found[] => {
		const observed = when(facts);
		if (observed === undefined) return [];
		const texts = { observed, meaning: say(text), advice: say(advice) };
		return [inPlainText({ id, severity: severity ?? 'error', status, ...texts })];
	});
	return sorted(found);
}

/** The same failure as the other nodes tell, with their words. */
export function fromFailure(
	{ kind, meaning, remedy }: ServerError,
	observed: string,
	change: Partial<Found> = {},
): Found {
	const found = { id: kind, severity: 'error', observed, meaning, advice: remedy } as const;
	return inPlainText({ ...found, status: statusOf(kind), ...change });
}

/** A generation that failed although the server had answered everything else (docs/protocols/llama-server.md 9.3). */
export function fromGeneration(failed: ServerError): Found {
	const quotation = failed.serverText ? `, "${failed.serverText}"` : '';
	const observed = `The test generation failed: ${failed.meaning}${quotation}`;
	if (failed.kind !== 'firstTokenLimit') return fromFailure(failed, observed);
	const meaning =
		'The server answers, but generates nothing: it is busy, still reads a long prompt, or its GPU hangs';
	return fromFailure(failed, observed, { id: 'noTokens', meaning, advice: STUCK_ADVICE });
}

/** Failures of the network or of the server. Kinds that are in neither table are wrong settings. */
const UNREACHABLE: ReadonlySet<FailureKind> = new Set([
	'dns',
	'refused',
	'connectTimeout',
	'unreachable',
	'closedBeforeAnswer',
	'connectionLost',
	'totalLimit',
	'gateway',
]);

const STATUS: Partial<Record<FailureKind, HealthStatus>> = {
	unauthorized: 'unauthorized',
	forbidden: 'unauthorized',
	// Where a proxy refuses, no key of the server helps.
	proxyPassword: 'unauthorized',
	proxyRefuses: 'unauthorized',
	loading: 'loading',
	busy: 'degraded',
	serverError: 'degraded',
	firstTokenLimit: 'degraded',
	idleLimit: 'degraded',
	streamError: 'degraded',
	streamEndedEarly: 'degraded',
	emptyAnswer: 'degraded',
	garbledAnswer: 'degraded',
	contextExceeded: 'degraded',
};

export function statusOf(
	kind: FailureKind,
	otherwise: HealthStatus = 'misconfigured',
): HealthStatus {
	return STATUS[kind] ?? (UNREACHABLE.has(kind) ? 'unreachable' : otherwise);
}

/** Findings go into mails and chats, and may quote the server. */
function inPlainText(found: Found): Found {
	const [observed, meaning, advice] = [found.observed, found.meaning, found.advice].map(plainText);
	return { ...found, observed: observed!, meaning: meaning!, advice: advice! };
}

const WEIGHT: Record<Severity, number> = { error: 0, warning: 1, info: 2 };
/** Of several statuses, the first in this list counts. */
const STATUS_ORDER: HealthStatus[] = [
	'unreachable',
	'unauthorized',
	'loading',
	'misconfigured',
	'degraded',
	'healthy',
];

/** Most important first; what was found first stays first among equals. */
export function sorted(findings: readonly Found[]): Found[] {
	const orderOf = ({ status = 'healthy' }: Found) => STATUS_ORDER.indexOf(status);
	return [...findings].sort(
		(one, other) => WEIGHT[one.severity] - WEIGHT[other.severity] || orderOf(one) - orderOf(other),
	);
}

/** Adds findings to what a check concluded. The worse status counts. */
export function concluded(findings: readonly Found[], before: HealthStatus = 'healthy') {
	const given = [before, ...findings.map(({ status }) => status)];
	const status = STATUS_ORDER.find((one) => given.includes(one)) ?? 'healthy';
	const shown: Finding[] = sorted(findings).map((finding) => ({ ...finding, status: undefined }));
	return { status, healthy: status === 'healthy', findings: shown };
}

function originOf(url: string): string {
	return new URL(url).origin;
}

/** The Base URL of a route to which a request was redirected. */
function newBaseUrl(endedAt: string): string {
	return endedAt.replace(/[?#].*$/s, '').replace(/(?:\/v1)?\/models\/?$/, '');
}

const MAX_NAMED = 5;

function namesOf(models: readonly ModelFacts[]): string {
	const more = models.length > MAX_NAMED ? ', …' : '';
	return (
		models
			.slice(0, MAX_NAMED)
			.map(({ id }) => id)
			.join(', ') + more
	);
}

function isNotLoaded({ expected, subject }: Facts): boolean {
	if (expected.model === undefined) return false;
	return ['unloaded', 'downloaded', 'failed'].includes(subject?.state ?? '');
}

/** Embedding and reranker models have short contexts by nature, and call no tools. */
function isForChats({ told: { models }, subject }: Facts): boolean {
	return subject?.embeddings !== true && models.some(({ embeddings }) => embeddings !== true);
}

function takesNoTools({ subject, told: { template } }: Facts): boolean {
	return subject?.tools === false || (subject?.tools !== true && template?.tools === false);
}

/** Tokens that one request can use, of several models the most; undefined where nothing tells. */
function contextOf({ subject, told }: Facts): number | undefined {
	const known = told.models.flatMap(({ context }) => context ?? []);
	const ofAny = known.length === 0 ? undefined : largestOf(known);
	return subject?.context ?? told.contextPerSlot ?? ofAny;
}

/** How to get so many tokens. What a model was not trained for, it does not read. */
function moreContext({ subject, told, kind }: Facts, tokens: number): string {
	const trained = subject?.trainedContext ?? Infinity;
	const context = subject?.context ?? 0;
	const other = `The model was trained for ${trained} tokens, so no setting gives it more: choose a model that reads more.`;
	if (context >= trained) return other;
	if (trained >= tokens) return kind.words.context(tokens, told.slots.total ?? undefined);
	return `${kind.words.context(trained, told.slots.total ?? undefined)} ${other}`;
}
