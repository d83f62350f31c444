/** The cases of the matrix, and their allowed errors. */
import { type Fault, FAULTS } from './faults';
import { CALL_LIMIT_MS, CONNECT_LIMITS, LIMITS, type LowLimits, type Operation } from './operation';

export const PHASES = [
	'dns',
	'connect',
	'tls',
	'upload',
	'queue',
	'headers',
	'first',
	'text',
	'call',
	'finish',
	'stop',
] as const;
export type Phase = (typeof PHASES)[number];

/** Why a case cannot exist. */
export const REASONS = {
	a: 'The server has sent no data during the DNS lookup: only the lookup itself can fail, hang, or return nonsense.',
	b: 'Without a request there is no response: a connection can only be refused, dropped, closed, or greeted with bytes that are not HTTP.',
	c: 'TLS has no pings.',
	d: 'The connection is open already: only a new one can be refused (row "connect").',
	e: 'The request has a few hundred bytes, which leave in one write: it has no measurable duration.',
	f: "Short requests do not wait in n8n's queue, and requests to Dify only in Dify's queue.",
	g: 'Only chat models call tools; a Dify app calls its own.',
	h: 'A file has no pings: every byte of it counts.',
	j: 'n8n cannot stop a poll: it ends by its timeouts.',
	i: 'Stop closes the connection and sends no further request, so no request can be refused.',
} as const;
export type Reason = keyof typeof REASONS;

const DNS_FAULTS: ReadonlySet<Fault> = new Set(['refused', 'reset', 'silence', 'garbage', 'cut']);
const GREETING_FAULTS: ReadonlySet<Fault> = new Set([
	'refused',
	'reset',
	'silence',
	'cut',
	'garbage',
	'endless',
	'huge',
]);

/** Why a case cannot exist; undefined if it exists. */
export function reasonAgainst(
	operation: Operation,
	phase: Phase,
	fault: Fault,
): Reason | undefined {
	const isDifyRun = operation.service === 'dify' && operation.way === 'stream';
	switch (phase) {
		case 'dns':
			return DNS_FAULTS.has(fault) ? undefined : 'a';
		case 'connect':
			return GREETING_FAULTS.has(fault) ? undefined : 'b';
		case 'tls':
			return fault === 'pings' ? 'c' : fault === 'refused' ? 'd' : undefined;
		case 'upload':
			return !operation.uploads ? 'e' : fault === 'refused' ? 'd' : undefined;
		case 'queue':
			return !operation.queues && !isDifyRun ? 'f' : fault === 'refused' ? 'd' : undefined;
		case 'call':
			return !operation.callsTools ? 'g' : fault === 'refused' ? 'd' : undefined;
		case 'stop':
			if (operation.isPoll === true) return 'j';
			if (fault === 'refused') return isDifyRun ? undefined : 'i';
			return fault === 'pings' && operation.form === 'file' ? 'h' : undefined;
		case 'headers':
			return fault === 'refused' ? 'd' : undefined;
		default:
			if (fault === 'refused') return 'd';
			return fault === 'pings' && operation.form === 'file' ? 'h' : undefined;
	}
}

export interface CaseName {
	operation: Operation;
	phase: Phase;
	fault: Fault;
}

/** Every case that can exist. */
export function listCases(operations: readonly Operation[]): CaseName[] {
	return operations.flatMap((operation) =>
		PHASES.flatMap((phase) =>
			FAULTS.filter((fault) => reasonAgainst(operation, phase, fault) === undefined).map(
				(fault) => ({
					operation,
					phase,
					fault,
				}),
			),
		),
	);
}

const isOnTheWay = (phase: Phase) => phase === 'dns' || phase === 'connect' || phase === 'tls';

/** The node's timeouts in a phase. `patience`: a factor for them. */
export function limitsIn(phase: Phase, patience = 1): LowLimits {
	const { firstToken, idle, total } = isOnTheWay(phase) ? CONNECT_LIMITS : LIMITS;
	return { firstToken: patience * firstToken, idle: patience * idle, total: patience * total };
}

/** Maximum duration of the operation in a phase, in milliseconds. */
export function limitMsOf({ limitMs }: Operation, phase: Phase): number {
	return isOnTheWay(phase) ? Math.max(limitMs, CALL_LIMIT_MS) : limitMs;
}
