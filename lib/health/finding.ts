import type { FailureKind } from '../errors/kinds';
import { remedyFor, type RemedyFacts } from '../errors/remedies';
import { ADVICE, type AdviceFacts, type AdviceId } from './advice';
import type { CheckResult, Finding, HealthStatus, Observations, Probe, ProbeFailure, Severity } from './observations';
import { optional, shortened } from '../values';

/** A finding, and the status it gives the server. Without one it changes nothing about the status. */
export interface FindingWithStatus extends Finding {
	status?: HealthStatus;
}

/**
 * Where the way to the server, or the server itself, is down; everything else that stops a check is a setting that is
 * wrong.
 */
const UNREACHABLE = new Set<FailureKind>([
	'dns',
	'refused',
	'connectTimeout',
	'unreachable',
	'closedBeforeAnswer',
	'connectionLost',
	'totalLimit',
	'firstTokenLimit',
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
	idleLimit: 'degraded',
	streamError: 'degraded',
	streamEndedEarly: 'degraded',
	emptyAnswer: 'degraded',
	garbledAnswer: 'degraded',
	contextExceeded: 'degraded',
};

export function statusOf(kind: FailureKind, otherwise: HealthStatus = 'misconfigured'): HealthStatus {
	return STATUS[kind] ?? (UNREACHABLE.has(kind) ? 'unreachable' : otherwise);
}

/** A finding from the table of remedies that the other nodes use too. */
export function fromFailure(
	failure: ProbeFailure,
	observed: string,
	change: Partial<FindingWithStatus> = {},
): FindingWithStatus {
	const { kind, message, remedy } = failure;
	return { id: kind, severity: 'error', observed, meaning: message, advice: remedy, status: statusOf(kind), ...change };
}

/** A generation that failed although the server had answered everything else (docs/protocols/llama-server.md 9.3). */
export function fromGeneration(failure: ProbeFailure): FindingWithStatus {
	const said = failure.serverText ? `, "${failure.serverText}"` : '';
	const observed = `The test generation failed: ${failure.message}${said}`;
	return failure.kind === 'firstTokenLimit' ? advise('noTokens', observed) : fromFailure(failure, observed);
}

/** What the tables of remedies say about a kind, as if a probe had failed with it. */
export function failureFor(kind: FailureKind, facts: RemedyFacts = {}): ProbeFailure {
	const { title, meaning = title, remedy } = remedyFor(kind, facts);
	return { kind, message: meaning.trimEnd(), remedy };
}

/** A finding that only a check makes. `change`: where it is less or more grave than usual. */
export function advise(
	id: AdviceId,
	observed: string,
	facts: AdviceFacts = {},
	change: Partial<Pick<FindingWithStatus, 'severity' | 'status'>> = {},
): FindingWithStatus {
	const { severity, status, says } = ADVICE[id];
	return { id, severity, observed, ...says(facts), ...optional({ status, ...change }) };
}

/** For what is no reason for an alarm. */
export const AS_WARNING = { severity: 'warning', status: undefined } as const;

/** One line about what was asked and what came. */
export function describeProbe(probe: Probe): string {
	const question = `${probe.method} ${probe.url}`;
	if (!probe.answered) {
		const { kind, code, message, began } = probe.failure;
		const what =
			began === true
				? 'an answer without end'
				: kind === 'totalLimit' || kind === 'firstTokenLimit'
					? 'no answer'
					: code !== undefined && /^[A-Z_0-9]+$/.test(code)
						? code
						: message;
		return `${question}: ${what} after ${Math.round(probe.ms)} ms`;
	}
	const line = probe.failure?.serverText?.replace(/\s+/g, ' ').trim() ?? '';
	const said = line === '' ? '' : `, "${shortened(line, 120)}"`;
	return `${question}: HTTP ${probe.status}${probe.endedAt === undefined ? '' : ` from ${probe.endedAt}`}${said}`;
}

const WEIGHT: Record<Severity, number> = { error: 0, warning: 1, info: 2 };
/** Of several things that are wrong, the one named further left decides. */
const STATUS_ORDER: HealthStatus[] = ['unreachable', 'unauthorized', 'loading', 'misconfigured', 'degraded'];

/** Most important first; what was found first stays first among equals. */
export function sorted(findings: readonly FindingWithStatus[]): FindingWithStatus[] {
	const byStatus = ({ status }: FindingWithStatus) =>
		status === undefined ? STATUS_ORDER.length : STATUS_ORDER.indexOf(status);
	return [...findings].sort((a, b) => WEIGHT[a.severity] - WEIGHT[b.severity] || byStatus(a) - byStatus(b));
}

/** As users see them, without what they make of the status. */
export function withoutStatus(findings: readonly FindingWithStatus[]): Finding[] {
	return findings.map((finding) => ({ ...finding, status: undefined }));
}

export function overall(findings: readonly FindingWithStatus[]): HealthStatus {
	return STATUS_ORDER.find((status) => findings.some((finding) => finding.status === status)) ?? 'healthy';
}

/** What a check found, with what a test of the model found: the worse of the two statuses. */
export function withTested(check: Pick<CheckResult, 'status' | 'findings'>, tested: readonly FindingWithStatus[]) {
	const status = STATUS_ORDER.find((one) => one === check.status || one === overall(tested)) ?? 'healthy';
	const findings = withoutStatus(sorted([...tested, ...check.findings]));
	return { status, healthy: status === 'healthy', findings };
}

/** "12 s ago" */
export function agoOf({ msAgo }: NonNullable<Observations['before']>): string {
	return msAgo < 90_000 ? `${Math.round(msAgo / 1000)} s ago` : `${Math.round(msAgo / 60_000)} minutes ago`;
}
