import { describeDifyFailure } from '../../dify/errors/errors';
import type { FailureKind } from '../../errors/kinds';
import { isRecord } from '../../values';
import { movedFindings, withAlternative } from './address';
import {
	advise,
	describeProbe,
	fromFailure,
	failureFor,
	statusOf,
	type FindingWithStatus,
} from './finding';
import type { Observations, Probe } from '../observations';

type Answered = Extract<Probe, { answered: true }>;

/** Failures caused by settings of the app or its address. Other refusals of Dify may be temporary. */
const MISCONFIGURED: ReadonlySet<FailureKind> = new Set([
	'appDisabled',
	'appUnusable',
	'appUnavailable',
	'notPublished',
	'providerCredentials',
	'webFrontend',
	'wrongServer',
	'routeNotFound',
	'redirect',
]);

/**
 * Findings from the answers of Dify: docs/protocols/dify.md 1.1 (web front end), 1.3 (keys, app switched off), 2.11
 * (not published), 6.
 */
export function difyFindings(observations: Observations): FindingWithStatus[] {
	const { probes, keyType = 'app' } = observations;
	const foreign = Object.values(probes).find(
		(probe) => probe.answered && /llama\.cpp/i.test(probe.headers.server ?? ''),
	);
	if (foreign !== undefined) return [advise('thisIsAModelServer', describeProbe(foreign))];
	const main = keyType === 'knowledge' ? probes.difyDatasets : probes.difyInfo;
	const other = keyType === 'knowledge' ? probes.difyInfo : probes.difyDatasets;
	if (main === undefined) return [];
	if (!main.answered) return [unanswered(main)];
	if (!isFine(main, keyType)) {
		if (main.status < 300 && isRecord(main.json)) return [advise('notDify', describeProbe(main))];
		const moved = main.status === 401 ? movedFindings(main) : [];
		if (moved.length > 0) return moved;
		if (
			main.status === 401 &&
			other?.answered === true &&
			isFine(other, keyType === 'knowledge' ? 'app' : 'knowledge')
		)
			return [
				advise('difyWrongKeyType', `${describeProbe(main)}; ${describeProbe(other)}`, { keyType }),
			];
		return [refused(observations, main)];
	}
	const { difyParameters: parameters } = probes;
	const fine = [...movedFindings(main), advise('difyNotChecked', describeProbe(main))];
	if (parameters === undefined) return fine;
	if (!parameters.answered) return [unanswered(parameters)];
	return parameters.status < 300 && isRecord(parameters.json)
		? fine
		: [refused(observations, parameters)];
}

/**
 * Finding for a probe without an answer, where others have one: else `connectionFindings` in `diagnosis.ts` reports it.
 */
function unanswered(probe: Extract<Probe, { answered: false }>): FindingWithStatus {
	if (probe.failure.kind === 'totalLimit') return advise('difySlow', describeProbe(probe));
	return fromFailure(probe.failure, describeProbe(probe), { status: 'degraded' });
}

function isFine(probe: Answered, keyType: 'app' | 'knowledge'): boolean {
	if (probe.status >= 300 || !isRecord(probe.json)) return false;
	const { json } = probe;
	if (keyType === 'knowledge')
		return Array.isArray(json.data) && typeof json.has_more === 'boolean';
	// Many programs say {"name": …} of themselves. Before 1.0 there was no mode (docs/protocols/dify.md 2.10).
	return (
		typeof json.name === 'string' && (typeof json.mode === 'string' || Array.isArray(json.tags))
	);
}

function refused(observations: Observations, probe: Answered): FindingWithStatus {
	const failed = describeDifyFailure({
		status: probe.status,
		body: probe.text,
		contentType: probe.headers['content-type'],
		challenge: probe.headers['www-authenticate'],
		method: 'GET',
	});
	const kind = failed.kind === 'emptyAnswer' && probe.status < 300 ? 'wrongServer' : failed.kind;
	const facts = {
		service: 'dify' as const,
		status: failed.status,
		keyMissing: kind === 'unauthorized' && !observations.keySet,
	};
	const said = failed.said === undefined ? '' : `, "${failed.said}"`;
	const observed = `${probe.method} ${probe.url}: HTTP ${probe.status}${failed.code === undefined ? '' : ` ${failed.code}`}${said}`;
	const failure = failureFor(kind, facts);
	const [seen, change] = withAlternative(observations, observed, failure.remedy);
	const status = statusOf(kind, MISCONFIGURED.has(kind) ? 'misconfigured' : 'degraded');
	return fromFailure(failure, seen, { id: `dify${capitalised(kind)}`, status, ...change });
}

function capitalised(kind: string): string {
	return kind.charAt(0).toUpperCase() + kind.slice(1);
}
