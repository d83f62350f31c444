/** Changes of bodies, which adaptations consist of. */
import type { BodyChange } from '../servers/lessons';
import type { JsonRecord } from '../values/records';

/** A body with its changes. */
export interface ChangedBody {
	body: JsonRecord;
	/** Sentences for the user about the changes that affected the body. */
	warnings: string[];
}

/** Applies changes in their order. One that finds nothing to change has no warning. */
export function applyChanges(body: JsonRecord, changes: readonly BodyChange[]): ChangedBody {
	const warnings: string[] = [];
	let changedBody = body;
	for (const { apply, warning } of changes) {
		const nextBody = apply(changedBody);
		if (nextBody !== changedBody && warning !== undefined) warnings.push(warning);
		changedBody = nextBody;
	}
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
