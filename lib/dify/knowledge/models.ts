/** Models of providers in Dify. */
import type { JsonRecord } from '../../values/records';
import { asNonEmptyString, asRecord, asRecords } from '../../values/records';
import { createParamError } from '../create-error';

/** A model in Dify: its name and the full provider ID. */
export interface ModelRef {
	provider: string;
	model: string;
}

/** Separates provider and model in one value, since provider IDs contain slashes. */
const SEPARATOR = '|';

/** An entry of a list in the editor. */
interface ModelOption {
	name: string;
	/** Provider and model. */
	value: string;
}

/** Models of providers, for a list in the editor. Only models with the status `active` can be used. */
export function toModelOptions(providers: readonly JsonRecord[]): ModelOption[] {
	return providers.flatMap(({ provider, label: providerLabel, models }) =>
		asRecords(models).map(({ model, label, status }) => {
			const providerName = getLabel(providerLabel) ?? String(provider);
			const state = status === 'active' ? '' : `, ${String(status)}`;
			return {
				name: `${getLabel(label) ?? String(model)} (${providerName}${state})`,
				value: `${String(provider)}${SEPARATOR}${String(model)}`,
			};
		}),
	);
}

function getLabel(label: unknown) {
	return asNonEmptyString(asRecord(label).en_US) ?? asNonEmptyString(label);
}

/**
 * Parses a value with provider and model; undefined if empty.
 *
 * @throws {ServerError} if one is missing
 */
export function parseModelRef(value: string): ModelRef | undefined {
	if (value.trim() === '') return undefined;
	const separatorIndex = value.indexOf(SEPARATOR);
	const provider = value.slice(0, separatorIndex).trim();
	const model = value.slice(separatorIndex + 1).trim();
	if (separatorIndex > 0 && model !== '') return { provider, model };
	throw createParamError({
		title: `The model "${value.slice(0, 100)}" does not include a provider`,
		suggestion:
			'Select it from the list, or enter provider and model, such as langgenius/gpustack/gpustack|bge-m3.',
	});
}

/** Request fields of an embedding model. */
export function toEmbeddingModelFields(modelRef: ModelRef | undefined): JsonRecord {
	return {
		embedding_model: modelRef?.model,
		embedding_model_provider: modelRef?.provider,
	};
}
