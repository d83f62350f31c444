/** Whether the key of the credential is the right one, as far as a check can see it. */
import { isForPosts } from '../../servers/api-root';
import { listOf } from '../answers';
import {
	guardedProbe,
	isAccepted,
	isOfProxy,
	isRefused,
	refusalsOfAllOthers,
	type Refused,
} from '../key-answers';
import type { ProbeFailure } from '../observations';
import { advise, describeProbe, failureFor, fromFailure, type FindingWithStatus } from './finding';
import type { Evidence, Rules } from './rules';

/**
 * Where a server lists its models without a key, only another route shows whether the key is right. If none does, a
 * finding says that the key was not checked.
 */
export const KEY_RULES: Rules = {
	keyRefused: (evidence) => {
		const refused = refusalIn(evidence);
		const { models } = evidence.observations.probes;
		if (refused === undefined || models === undefined) return undefined;
		const observed = `${describeProbe(refused)}; ${describeProbe(models)}`;
		return refusedKeyFinding(evidence, refused.failure, observed);
	},

	keyNotChecked: (evidence) => {
		const { probes, keySet } = evidence.observations;
		const { chat, keyless } = probes;
		if (refusalIn(evidence) !== undefined) return undefined;
		// A server without a list, whose route for chats is the only one.
		if (keySet && isForPosts(chat)) return advise('keyNotChecked', describeProbe(chat));
		if (!keySet || keyless === undefined || listOf(keyless) === undefined) return undefined;
		if (isKeyOfNoConcern(evidence)) return undefined;
		if (isAccepted(guardedProbe(probes, evidence.kindName))) return undefined;
		return advise('keyNotChecked', `${describeProbe(keyless)} without a key`);
	},
};

/** The route that refuses the key. */
function refusalIn(evidence: Evidence): Refused | undefined {
	const { probes } = evidence.observations;
	if (isForPosts(probes.chat)) return refusalWithoutList(probes);
	if (isKeyOfNoConcern(evidence)) return undefined;
	const routes = [guardedProbe(probes, evidence.kindName), ...refusalsOfAllOthers(probes)];
	return routes.find(isRefused);
}

/** A server without a list may guard what is open elsewhere (LitServe). */
function refusalWithoutList({ health }: Evidence['observations']['probes']): Refused | undefined {
	const isOfKey = isRefused(health) && health.status === 401 && !isOfProxy(health.failure);
	return isOfKey ? health : undefined;
}

/** Whether the server wants no key, told nothing that could be compared, or accepted the key already. */
function isKeyOfNoConcern({ observations: { probes }, kind }: Evidence): boolean {
	if (kind.key?.isNeverNeeded === true || probes.models === undefined) return true;
	if (listOf(probes.models) === undefined) return probes.guarded === undefined;
	// The list is there with the key and refused without it: whatever other routes say, the key is right.
	return isRefused(probes.keyless);
}

/** The finding for a key that a route refuses. */
export function refusedKeyFinding(
	{ observations, kind }: Evidence,
	failure: ProbeFailure,
	observed: string,
): FindingWithStatus {
	const { keySet, authentication, probes } = observations;
	// Where a proxy refuses, no key of the server helps.
	if (isOfProxy(failure)) return fromFailure(failure, observed);
	if (!keySet) return fromFailure(failureFor('unauthorized', { keyMissing: true }), observed);
	// A list that is open with a wrong key, too, says nothing about the routes behind it.
	if (listOf(probes.keyless) !== undefined && listOf(probes.models) === undefined)
		return fromFailure(failure, observed, {
			advice:
				'The server answers without a key: empty the API Key of the credential, or put a right one into it.',
		});
	// vLLM looks at Authorization only (docs/protocols/llama-server.md 8.4).
	if (authentication === 'xApiKey' && kind.key?.bearerOnly === true)
		return fromFailure(failure, observed, {
			advice: `${kind.label} takes the key as Bearer only: change Authentication in the credential.`,
		});
	return fromFailure(failure, observed);
}
