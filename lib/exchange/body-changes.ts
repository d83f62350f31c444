/** Changes of bodies, which adaptations consist of. */
import type { BodyChange } from '../servers/lessons';
import type { JsonRecord } from '../values/records';

/** A body with its changes. */
export interface ChangedBody {
	body: JsonRecord;
	/** Sentences for the user about the changes that affected the body. */
	warnings: string[];
}

/** Applies changes in their order. One that finds nothing to change, or that a later one supersedes, has no warning. */
export function applyChanges(body: JsonRecord, changes: readonly BodyChange[]): ChangedBody {
	const effective: BodyChange[] = [];
	let changedBody = body;
	for (const change of changes) {
		const nextBody = change.apply(changedBody);
		if (nextBody !== changedBody) effective.push(change);
		changedBody = nextBody;
	}
	const superseded = effective.map(({ supersedes }) => supersedes);
	const warnings = effective
		.filter(({ name }) => !superseded.includes(name))
		.flatMap(({ warning = [] }) => warning);
	return { body: changedBody, warnings };
}

/** A change that omits fields. */
export function omitFields(names: readonly string[]): BodyChange {
	return {
		name: `without ${names.join(', ')}`,
		apply: (body) => withoutFields(body, names),
	};
}

/** @returns the body itself if it has none of the fields */
export function withoutFields(body: JsonRecord, names: readonly string[]): JsonRecord {
	if (!names.some((name) => Object.hasOwn(body, name))) return body;
	return Object.fromEntries(Object.entries(body).filter(([field]) => !names.includes(field)));
}
