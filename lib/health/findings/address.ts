import { isRecord } from '../../values';
import { advise, describeProbe, AS_WARNING, type FindingWithStatus } from './finding';
import { listOf } from '../answers';
import type { Alternative, Observations, Probe } from '../observations';

/** Whether the server answers at the same address with the other scheme (http, https): then only that is wrong. */
export function speaksOtherScheme({ alternatives, url }: Observations): boolean {
	return alternatives.some(
		(other) =>
			other.expects === 'anything' &&
			isReached(other) &&
			other.baseUrl.split(':')[0] !== url?.root.split(':')[0],
	);
}

/** Puts the address that works, where one was found, in front of the advice. */
export function withAlternative(
	{ alternatives }: Observations,
	observed: string,
	advice: string,
): [observed: string, change: Partial<FindingWithStatus>] {
	const works = alternatives.find(isReached);
	if (works === undefined) return [observed, {}];
	const address = `Type ${works.baseUrl} as Base URL: there ${{ anything: 'the server', models: 'the API', dify: 'the API of Dify' }[works.expects]} answers.`;
	// Where the API itself was found, nothing is left to advise.
	return [
		`${observed}; ${describeProbe(works.probe)}`,
		{ advice: works.expects === 'anything' ? `${address} ${advice}` : address },
	];
}

/**
 * Findings for an address that redirects. Probes follow it, so all looks well; but a POST, and so every generation, is
 * repeated only after 307 and 308.
 */
export function movedFindings(probe: Probe | undefined): FindingWithStatus[] {
	if (probe?.answered !== true || probe.endedAt === undefined) return [];
	const asked = bare(probe.url);
	const ended = bare(probe.endedAt);
	if (ended === asked) return [];
	const route = asked.slice(asked.lastIndexOf('/'));
	const place = ended.endsWith(route) ? ended.slice(0, -route.length).replace(/\/v1$/, '') : ended;
	if (probe.status === 401)
		return [
			advise('moved', describeProbe(probe), {
				url: place,
				what: ', and the key is never sent there',
			}),
		];
	const isFollowed = (probe.redirects ?? []).every((status) => status === 307 || status === 308);
	return isFollowed
		? [advise('moved', describeProbe(probe), { url: place }, AS_WARNING)]
		: [
				advise('moved', describeProbe(probe), {
					url: place,
					what: ', which generations do not follow',
				}),
			];
}

/** The URL without a query and a trailing slash. */
function bare(url: string): string {
	return url.replace(/[?#].*$/s, '').replace(/\/$/, '');
}

/**
 * Whether the expected service answers there. The probe has no key, so a refusal by the API itself counts as an answer.
 */
function isReached({ expects, probe }: Alternative): boolean {
	// The certificate is wrong, but the scheme is right.
	if (!probe.answered) return expects === 'anything' && probe.failure.kind === 'tlsUntrusted';
	const refusal = probe.status === 401 || probe.status === 403 ? probe.json : undefined;
	if (expects === 'models') return listOf(probe) !== undefined || isRecord(refusal);
	if (expects === 'dify') return isRecord(refusal) && typeof refusal.code === 'string';
	return probe.failure?.kind !== 'tlsMismatch';
}
