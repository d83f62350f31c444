/** Tables of rules: each looks at what a check observed, and makes a finding where its case is given. */
import { isForPosts } from '../../servers/api-root';
import type { ServerKind } from '../../servers/kinds/kind';
import { kindOfServer } from '../answers';
import type { HealthServerKind, Observations, ServerFacts } from '../observations';
import { describeServer } from '../server-facts';
import type { FindingWithStatus } from './finding';

/** What rules look at. */
export interface Evidence {
	observations: Observations;
	facts: ServerFacts;
	kindName: HealthServerKind;
	kind: ServerKind;
	/** It has no list of models, and needs none. */
	isUnlisted: boolean;
}

export type Rule = (
	evidence: Evidence,
) => FindingWithStatus | readonly FindingWithStatus[] | undefined;

/** Rules by the name of the finding that each makes, or of what it is about. */
export type Rules = Readonly<Record<string, Rule>>;

export function evidenceOf(observations: Observations): Evidence {
	const facts = describeServer(observations);
	const kindName = facts.server.kind;
	const kind = kindOfServer(kindName);
	// A server of one's own needs no list beside its route for chats.
	const isUnlisted = isForPosts(observations.probes.chat) || kind.models.isUnlisted === true;
	return { observations, facts, kindName, kind, isUnlisted };
}

/** The findings of all rules, in their order. */
export function findAll(rules: Rules, evidence: Evidence): FindingWithStatus[] {
	return Object.values(rules).flatMap((rule) => rule(evidence) ?? []);
}

/** The findings of the first rule that makes any: it explains what those after it would say. */
export function findFirst(rules: Rules, evidence: Evidence): FindingWithStatus[] {
	for (const rule of Object.values(rules)) {
		const findings = [rule(evidence) ?? []].flat();
		if (findings.length > 0) return findings;
	}
	return [];
}
