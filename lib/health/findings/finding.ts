import type { FailureKind } from '../../errors/kinds';
import { remedyFor, type RemedyFacts } from '../../errors/remedies';
import { ADVICE, type AdviceFacts, type AdviceId } from './advice';
import type {
	CheckResult,
	Finding,
	HealthStatus,
	Observations,
	Probe,
	ProbeFailure,
	Severity,
} from '../observations';
import { plainText } from '../../plain-text';
import { optional, shortened } from '../../values';

/** A finding, and the status it gives the server. Without one it changes nothing about the status. */
export interface FindingWithStatus extends Finding {
	status?: HealthStatus;
}

/** Failures of the network or of the server. Kinds that are in neither table are wrong settings. */
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

export function statusOf(
	kind: FailureKind,
	otherwise: HealthStatus = 'misconfigured',
): HealthStatus {
	return STATUS[kind] ?? (UNREACHABLE.has(kind) ? 'unreachable' : otherwise);
}

/** A finding from the table of remedies that the other nodes use too. */
export function fromFailure(
	failure: ProbeFailure,
	observed: string,
	change: Partial<FindingWithStatus> = {},
): FindingWithStatus {
	const { kind, message, remedy } = failure;
	return inPlainText({
		id: kind,
		severity: 'error',
		observed,
		meaning: message,
		advice: remedy,
		status: statusOf(kind),
		...change,
	});
}

/** A generation that failed although the server had answered everything else (docs/protocols/llama-server.md 9.3). */
export function fromGeneration(failure: ProbeFailure): FindingWithStatus {
	const quotation = failure.serverText ? `, "${failure.serverText}"` : '';
	const observed = `The test generation failed: ${failure.message}${quotation}`;
	return failure.kind === 'firstTokenLimit'
		? advise('noTokens', observed)
		: fromFailure(failure, observed);
}

/** The texts of the remedy tables for a kind, as if a probe had failed with it. */
export function failureFor(kind: FailureKind, facts: RemedyFacts = {}): ProbeFailure {
	const { title, meaning = title, remedy } = remedyFor(kind, facts);
	return { kind, message: meaning.trimEnd(), remedy };
}

/** A finding of `ADVICE`. `change`: where it is more or less severe than usual. */
export function advise(
	id: AdviceId,
	observed: string,
	facts: AdviceFacts = {},
	change: Partial<Pick<FindingWithStatus, 'severity' | 'status'>> = {},
): FindingWithStatus {
	const { severity, status, says } = ADVICE[id];
	const finding = { id, severity, observed, ...says(facts) };
	return inPlainText({ ...finding, ...optional({ status, ...change }) });
}

/** Findings go into mails and chats, and may quote the server. */
function inPlainText(finding: FindingWithStatus): FindingWithStatus {
	const [observed, meaning, advice] = [finding.observed, finding.meaning, finding.advice].map(
		plainText,
	);
	return { ...finding, observed: observed!, meaning: meaning!, advice: advice! };
}

/** Turns an error into a warning that does not change the status. */
export const AS_WARNING = { severity: 'warning', status: undefined } as const;

/** One line with the request and its outcome. */
export function describeProbe(probe: Probe): string {
	const request = `${probe.method} ${probe.url}`;
	if (!probe.answered)
		return `${request}: ${whatFailed(probe.failure)} after ${Math.round(probe.ms)} ms`;
	const line = probe.failure?.serverText?.replace(/\s+/g, ' ').trim() ?? '';
	const quotation = line === '' ? '' : `, "${shortened(line, 120)}"`;
	const place = probe.endedAt === undefined ? '' : ` from ${probe.endedAt}`;
	return `${request}: HTTP ${probe.status}${place}${quotation}`;
}

function whatFailed({ kind, code, message, began }: ProbeFailure): string {
	if (began === true) return 'an answer without end';
	if (kind === 'totalLimit' || kind === 'firstTokenLimit') return 'no answer';
	return code !== undefined && /^[A-Z_0-9]+$/.test(code) ? code : message;
}

const WEIGHT: Record<Severity, number> = { error: 0, warning: 1, info: 2 };
/** Of several statuses, the first in this list counts. */
const STATUS_ORDER: HealthStatus[] = [
	'unreachable',
	'unauthorized',
	'loading',
	'misconfigured',
	'degraded',
];

/** Most important first; what was found first stays first among equals. */
export function sorted(findings: readonly FindingWithStatus[]): FindingWithStatus[] {
	const byStatus = ({ status }: FindingWithStatus) =>
		status === undefined ? STATUS_ORDER.length : STATUS_ORDER.indexOf(status);
	return [...findings].sort(
		(a, b) => WEIGHT[a.severity] - WEIGHT[b.severity] || byStatus(a) - byStatus(b),
	);
}

/** Findings as users see them: without the status that each gives the server. */
export function withoutStatus(findings: readonly FindingWithStatus[]): Finding[] {
	return findings.map((finding) => ({ ...finding, status: undefined }));
}

export function overallStatus(findings: readonly FindingWithStatus[]): HealthStatus {
	return (
		STATUS_ORDER.find((status) => findings.some((finding) => finding.status === status)) ??
		'healthy'
	);
}

/** Adds the findings of a model test to those of a check. The worse status counts. */
export function withTestFindings(
	check: Pick<CheckResult, 'status' | 'findings'>,
	tested: readonly FindingWithStatus[],
) {
	const status =
		STATUS_ORDER.find((one) => one === check.status || one === overallStatus(tested)) ?? 'healthy';
	const findings = withoutStatus(sorted([...tested, ...check.findings]));
	return { status, healthy: status === 'healthy', findings };
}

/** "12 s ago" */
export function agoOf({ msAgo }: NonNullable<Observations['before']>): string {
	return msAgo < 90_000
		? `${Math.round(msAgo / 1000)} s ago`
		: `${Math.round(msAgo / 60_000)} minutes ago`;
}
