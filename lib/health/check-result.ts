/** Results of Server Health: plain data without any key, ready to be an item. */
import type { ServerTypeName } from '../server-type-name';
import type { ServerModel } from '../servers/server-model';
import type { ServerError } from '../errors/server-error';
import { tell } from '../errors/tell';
import { getHealthStatus } from '../errors/error-types';
import { composeText } from '../values/safe-text';
import type { PlainText } from '../values/safe-text';
import { investigateTestGeneration } from './investigate-check';

/** Worst first. */
export const STATUSES = [
	'unreachable',
	'unauthorized',
	'loading',
	'misconfigured',
	'degraded',
	'healthy',
] as const;

/** Conclusion of a check. All but `healthy` go to the second output of the node. */
export type HealthStatus = (typeof STATUSES)[number];

/** Worst first. */
const SEVERITIES = ['error', 'warning', 'info'] as const;

/** Facts that are not known are missing. */
export interface CheckResult {
	/** One sentence, which repeats no finding. */
	summary: PlainText;
	status: HealthStatus;
	healthy: boolean;
	/** Most important first. */
	findings: Finding[];
	server: ServerFacts;
	/** Only for a model server. */
	models?: ModelFacts[];
	/** Only for the key of a Dify app: that app. */
	app?: AppFacts;
	/** ISO time. */
	checkedAt: string;
}

/** A Dify app. */
interface AppFacts {
	name?: string;
	/** Dify's name of the type: `chat`, `workflow` and so on. */
	mode?: string;
}

export interface Finding {
	/** Stays the same from version to version, for use in expressions. */
	id: string;
	severity: (typeof SEVERITIES)[number];
	/** Evidence, such as a request and its response. */
	observed: PlainText;
	/** The problem, as a clause without period. */
	detail: PlainText;
	/** How to fix it. */
	suggestion: PlainText;
}

/** A server, as far as it reports. For a router: slots and context of one loaded model. */
export interface ServerFacts {
	/** The parsed URL; missing if it cannot be used. */
	url?: string;
	type: ServerTypeName | 'openAiCompatible' | 'dify' | 'unknown';
	version?: string;
	/** Duration of the fastest response. */
	latencyMs?: number;
	slots?: number;
	busySlots?: number;
	/** Requests that wait for a slot. */
	queue?: number;
	contextPerSlot?: number;
	sleeping?: boolean;
}

/** Facts about a model that are reported as the server sends them. */
export const MODEL_FACTS = [
	'context',
	'trainedContext',
	'parameters',
	'size',
	'quantization',
	'vision',
	'audio',
	'tools',
	'embeddings',
	'decisions',
	'writesText',
	'remoteHost',
] as const satisfies ReadonlyArray<keyof ServerModel>;

/** A model, as far as the server reports it. */
export interface ModelFacts
	extends
		Pick<ServerModel, 'id' | 'state' | (typeof MODEL_FACTS)[number]>,
		Partial<Pick<ServerModel, 'aliases'>> {
	loaded?: boolean;
}

/** Requirements of the user. Each unmet one becomes a finding. */
export interface Expectations {
	model?: string;
	/** Tokens that one request can use. */
	minContext?: number;
}

/** A finding with the status that it gives the server. Its texts may quote a server as it came. */
export interface FindingWithStatus extends Pick<Finding, 'id' | 'severity'> {
	/** As in `Finding`. */
	observed: string;
	/** As in `Finding`. */
	detail: string;
	/** As in `Finding`. */
	suggestion: string;
	status?: HealthStatus;
}

/** Result of a check before it is summarized. */
export interface CheckOutcome extends Pick<CheckResult, 'server' | 'models' | 'app'> {
	findings: FindingWithStatus[];
	/** Server type and version for texts, such as "Ollama 0.9". */
	name: string;
	/** "2 models" */
	offerText: string;
}

interface PossibleFinding extends Omit<FindingWithStatus, 'id' | 'severity' | 'observed'> {
	/** Default: an error. */
	severity?: Finding['severity'];
	/** Evidence; otherwise the finding does not apply. */
	observed: string | false | undefined;
}

/** A table of findings, by ID. */
export type FindingRules<Facts> = Readonly<Record<string, (facts: Facts) => PossibleFinding>>;

/** The findings of a table that apply, in its order. */
export function evaluateRules<Facts>(
	rules: FindingRules<Facts>,
	facts: Facts,
): FindingWithStatus[] {
	return Object.entries(rules).flatMap(([id, evaluate]) => {
		const { observed, severity = 'error', ...texts } = evaluate(facts);
		return observed ? [{ id, severity, observed, ...texts }] : [];
	});
}

/** The same error as in the other nodes, with the same texts. */
export function findingFromError(
	error: ServerError,
	observed: string,
	overrides: Partial<FindingWithStatus> = {},
): FindingWithStatus {
	const { type } = error;
	const { detail, suggestion } = tell(error, 'owner');
	const status = getHealthStatus(type);
	return { id: type, severity: 'error', observed, detail, suggestion, status, ...overrides };
}

/**
 * A failed generation of a server that responded to all probes (docs/protocols/llama-server.md 9.3).
 *
 * @param failure - As the generation reported it
 */
export async function findingFromGenerationError(failure: ServerError): Promise<FindingWithStatus> {
	const error = await investigateTestGeneration(failure);
	const quotation = error.serverText ? `, "${error.serverText}"` : '';
	const observed = `The test generation failed: ${error.detail}${quotation}`;
	if (error.type !== 'firstTokenTimeout') return findingFromError(error, observed);
	return findingFromError(error, observed, {
		id: 'generationStuck',
		detail:
			'The server responds but generates nothing: it is busy, still processing a long prompt, or its GPU is hung',
	});
}

/**
 * Sorts findings, most important first, as plain text.
 *
 * @param initial - A status that the server has at least
 * @returns also the worst status of the findings and `initial`: a finding without a status, such as a warning, makes no server
 *   unhealthy
 */
export function concludeHealth(
	findings: readonly FindingWithStatus[],
	initial: HealthStatus = 'healthy',
): Pick<CheckResult, 'status' | 'healthy' | 'findings'> {
	const statuses = [initial, ...findings.map((finding) => finding.status)];
	const status = STATUSES.find((candidate) => statuses.includes(candidate)) ?? 'healthy';
	// By severity, then by status.
	const rank = ({ severity, status: own = 'healthy' }: FindingWithStatus) =>
		SEVERITIES.indexOf(severity) * STATUSES.length + STATUSES.indexOf(own);
	const sorted = findings.toSorted((a, b) => rank(a) - rank(b));
	return {
		status,
		healthy: status === 'healthy',
		// Findings appear in emails and chats, and may quote the server.
		findings: sorted.map(({ id, severity, observed, detail, suggestion }): Finding => ({
			id,
			severity,
			observed: composeText(observed),
			detail: composeText(detail),
			suggestion: composeText(suggestion),
		})),
	};
}

/**
 * The result of a check in one sentence: a clause, and the number of findings, which contain the reasons.
 *
 * @param clause - Without period
 */
export function summarizeWithFindingCounts(
	clause: string,
	{ findings }: Pick<CheckResult, 'findings'>,
): PlainText {
	const counts = (['error', 'warning'] as const).flatMap((name) => {
		const count = findings.filter(({ severity }) => severity === name).length;
		return count === 0 ? [] : [pluralize(count, name)];
	});
	const suffix = counts.length === 0 ? '' : `, with ${counts.join(' and ')}`;
	return composeText(`${clause}${suffix}.`);
}

const LIST = new Intl.ListFormat('en');

/** "chats, embeddings, and reranking" */
export function joinNames(names: readonly string[]): string {
	return LIST.format(names);
}

/** "1 model", "2 models" */
export function pluralize(count: number, noun: string): string {
	return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
