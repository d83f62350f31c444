/** Checks the result of a case for problems. */
import type { CaseResult } from './run-case';
import { type CaseName, limitMsOf, type Phase } from './matrix';
import type { Fault } from './faults';
import type { Operation } from './operation';
import { leaksIn } from './node-runner';

/** The cause that each error type names. */
type Blame =
	| 'name'
	| 'nobody'
	| 'way'
	| 'tls'
	| 'limit'
	| 'foreign'
	| 'server'
	| 'ended'
	| 'stop'
	| 'answered'
	| 'other';

const BLAMES: Readonly<Record<string, Blame>> = {
	answered: 'answered',
	dnsLookupFailed: 'name',
	connectionRefused: 'nobody',
	connectTimeout: 'way',
	hostUnreachable: 'way',
	closedBeforeResponse: 'way',
	// A proxy that rejects an upload as too large.
	fileTooLarge: 'way',
	requestTooLarge: 'way',
	connectionLost: 'way',
	tlsMismatch: 'tls',
	tlsUntrusted: 'tls',
	firstTokenTimeout: 'limit',
	idleTimeout: 'limit',
	totalTimeout: 'limit',
	runTimeout: 'limit',
	runQueued: 'limit',
	// Findings of Server Health.
	stuck: 'limit',
	noTokens: 'limit',
	noAnswer: 'limit',
	notHttp: 'foreign',
	notAnApi: 'foreign',
	wrongServer: 'foreign',
	webFrontend: 'foreign',
	invalidResponse: 'foreign',
	badGateway: 'foreign',
	serverError: 'server',
	streamError: 'server',
	runFailed: 'server',
	streamEndedEarly: 'ended',
	emptyResponse: 'ended',
	aborted: 'stop',
};

type RightBlames = Readonly<Partial<Record<Fault | 'else', readonly Blame[]>>>;

const IN_A_STREAM: RightBlames = {
	reset: ['way'],
	cut: ['way', 'ended'],
	'500': ['server', 'foreign'],
	html: ['foreign', 'ended'],
	garbage: ['foreign', 'ended'],
	endless: ['limit', 'foreign'],
	huge: ['limit', 'foreign'],
	else: ['limit'],
};
const RIGHT: Readonly<Record<Phase, RightBlames>> = {
	dns: { silence: ['name', 'limit', 'way'], else: ['name'] },
	connect: {
		refused: ['nobody'],
		reset: ['way'],
		cut: ['way'],
		silence: ['way', 'limit'],
		else: ['foreign'],
	},
	tls: {
		silence: ['way', 'limit', 'tls'],
		slow: ['way', 'limit', 'tls'],
		else: ['tls', 'way', 'foreign'],
	},
	upload: {
		reset: ['way'],
		cut: ['way'],
		'500': ['server', 'way'],
		html: ['foreign', 'way'],
		garbage: ['foreign', 'way'],
		endless: ['limit', 'foreign', 'way'],
		huge: ['limit', 'foreign', 'way'],
		else: ['limit'],
	},
	queue: { else: ['answered', 'limit'] },
	headers: {
		reset: ['way'],
		cut: ['way'],
		'500': ['server'],
		html: ['foreign'],
		garbage: ['foreign'],
		endless: ['limit', 'foreign', 'way'],
		huge: ['limit', 'foreign', 'way'],
		else: ['limit'],
	},
	first: IN_A_STREAM,
	text: IN_A_STREAM,
	call: { ...IN_A_STREAM, endless: ['limit', 'foreign', 'ended'] },
	finish: { else: ['answered', 'limit', 'way', 'ended', 'foreign', 'server'] },
	stop: { else: ['stop', 'answered'] },
};

function rightIn({ service, way, form }: Operation, phase: Phase, fault: Fault): readonly Blame[] {
	// A Dify run that waits for a worker has sent one ping, so it does not wait in n8n's queue.
	const of = RIGHT[phase === 'queue' && service === 'dify' ? 'first' : phase];
	const right = of[fault] ?? of.else ?? [];
	// For a run, Dify always says "ended early".
	const isRun = service === 'dify' && way === 'stream';
	if (isRun && (fault === 'reset' || fault === 'huge')) return [...right, 'ended'];
	// Any bytes may be part of a file.
	return form === 'file' && ['garbage', 'html', '500', 'huge'].includes(fault)
		? [...right, 'answered', 'ended']
		: right;
}

/** Slow bytes of a short response are complete before a timeout. */
const MAY_BE_ANSWERED: ReadonlySet<Phase> = new Set([
	'headers',
	'first',
	'text',
	'call',
	'tls',
	'upload',
]);

const EMPTY_WORDS = /undefined|\[object|\bNaN\b|\bnull\b/;
const LOW_LEVEL =
	/^(?:fetch failed|terminated|aborted|socket hang up|other side closed|error)\.?$/i;

/** Whether a timeout of the node ended it instead of the fault. */
export function isCutShort(
	{ operation, phase, fault }: CaseName,
	{ kind, hung }: CaseResult,
): boolean {
	return !hung && BLAMES[kind] === 'limit' && !rightIn(operation, phase, fault).includes('limit');
}

/** @param lateMs current tolerance beyond the limit, which depends on the machine's load */
export function problemsOf(
	{ operation, phase, fault }: CaseName,
	result: CaseResult,
	lateMs: number,
): string[] {
	const problems: string[] = [];
	const limitMs = limitMsOf(operation, phase);
	const { failed, title, description, kind, shown, ms, hung, held, sockets, textBefore } = result;
	if (hung) problems.push(`hangs: no end ${Math.round(ms)} ms after the start`);
	else if (ms > limitMs + lateMs)
		problems.push(`late: ended after ${Math.round(ms)} ms, the limit is ${limitMs} ms`);
	if (failed && !hung) {
		// Without the quoted server message.
		const errorText = `${title}\n${description}`.replace(/Server message: ".*"/s, '');
		if (title.trim() === '' || description.trim() === '')
			problems.push('empty title or description');
		if (EMPTY_WORDS.test(errorText)) problems.push(`meaningless text: ${errorText}`);
		if (LOW_LEVEL.test(title.trim())) problems.push(`title is only "${title}"`);
		if (description.replace(title, '').trim().length < 20)
			problems.push(`no suggestion: ${description}`);
	}
	const right = rightIn(operation, phase, fault);
	const blame = BLAMES[kind] ?? 'other';
	const isSlowAnswer = fault === 'slow' && blame === 'answered' && MAY_BE_ANSWERED.has(phase);
	if (!hung && !right.includes(blame) && !isSlowAnswer)
		problems.push(
			`blames the wrong part: ${kind} (${blame}), right would be ${right.join(', ')}: ${title}`,
		);
	if (failed && operation.keepsText && textBefore !== '' && !shown.includes(textBefore))
		problems.push(`loses the text that had arrived: ${textBefore}`);
	if (sockets > 0) problems.push(`leaves ${sockets} connections open`);
	if (held > 0) problems.push(`leaves ${held} requests at the server`);
	const [leak] = leaksIn(`${title}\n${description}\n${shown}`);
	if (leak !== undefined) problems.push(`shows a part of a secret: ${around(shown, leak)}`);
	return problems;
}

function around(text: string, part: string): string {
	const at = text.indexOf(part);
	return at < 0
		? part
		: text.slice(Math.max(0, at - 60), at + part.length + 40).replace(/\n/g, ' ');
}
