import type { Connection } from '../../http/connection';
import { kindOf, labelsOf } from '../kinds';
import type { ServerKind } from '../kinds/kind';
import type { ModelQuestion } from '../kinds/work';
import { kindFor } from '../purpose';

/**
 * What the server of a model can do.
 *
 * @param what it lacks otherwise, in words after "has no": "slots"
 * @throws {ServerError} of kind `notSupported`
 */
export async function abilityFor<Ability>(
	connection: Connection,
	{ model, signal }: ModelQuestion,
	what: string,
	pick: (kind: ServerKind) => Ability | undefined,
): Promise<Ability> {
	const kind = kindOf(await kindFor(connection, model.trim(), signal));
	const ability = pick(kind);
	if (ability !== undefined) return ability;
	throw connection.failure('notSupported', {
		url: connection.url.root,
		model,
		message: `${kind.label} has no ${what}`,
		remedy: `These have: ${labelsOf(pick)}.`,
	});
}
