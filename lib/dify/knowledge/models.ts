import {
	asNonEmptyString,
	omitUndefined,
	asRecord,
	asRecords,
	type JsonRecord,
} from '../../values';
import { createParamError } from '../errors';

/** A model in Dify: its name, and the full ID of its provider. */
export interface ModelRef {
	provider: string;
	model: string;
}

/** Separator of provider and model in one value: the IDs of providers have slashes. */
const BETWEEN = '|';

/** The models in a list of providers, for a list in the editor. Only those with the status `active` can be used. */
export function toModelOptions(
	providers: readonly JsonRecord[],
): Array<{ name: string; value: string }> {
	return providers.flatMap(({ provider, label: owner, models }) =>
		asRecords(models).map(({ model, label, status }) => {
			const of = labelIn(owner) ?? String(provider);
			const state = status === 'active' ? '' : `, ${String(status)}`;
			return {
				name: `${labelIn(label) ?? String(model)} (${of}${state})`,
				value: `${String(provider)}${BETWEEN}${String(model)}`,
			};
		}),
	);
}

function labelIn(label: unknown): string | undefined {
	return asNonEmptyString(asRecord(label).en_US) ?? asNonEmptyString(label);
}

/** Splits such a value; undefined for an empty one. @throws {ServerError} where it does not name both */
export function parseModelRef(value: string): ModelRef | undefined {
	if (value.trim() === '') return undefined;
	const at = value.indexOf(BETWEEN);
	const [provider, model] = [value.slice(0, at).trim(), value.slice(at + 1).trim()];
	if (at > 0 && model !== '') return { provider, model };
	throw createParamError(
		`The model "${value.slice(0, 100)}" does not include a provider`,
		'Select it from the list, or enter provider and model, such as langgenius/gpustack/gpustack|bge-m3.',
	);
}

/** Fields of a request for an embedding model. */
export function toEmbeddingModelFields(chosen: ModelRef | undefined): JsonRecord {
	return omitUndefined({
		embedding_model: chosen?.model,
		embedding_model_provider: chosen?.provider,
	});
}
