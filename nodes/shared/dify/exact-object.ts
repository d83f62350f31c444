import type { JsonRecord } from '../../../lib/values/records';
import { isUnset } from '../../../lib/values/records';
import type { NodeParameters } from '../parameters';
import { asObjectToSend } from '../parameters';

/** Reads a field with an object, whose numbers keep all digits. An empty field is an empty object. */
export function readExactObject(parameters: NodeParameters, name: string): JsonRecord {
	const value = parameters.value(name);
	if (isUnset(value)) return {};
	return asObjectToSend(parameters.field(name), value);
}
