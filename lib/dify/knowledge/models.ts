import {
	asList,
	finiteNumber,
	type JsonRecord,
	nonEmptyText,
	optional,
	recordOf,
	recordsIn,
} from '../../values';
import { invalidParam } from '../errors/failure';
import type { RouteValues } from '../routes';
import type { KnowledgeApi } from './api';
import type { ModelRef } from './bases';
import { baseRoutes } from './routes';

export type ModelType = RouteValues['model_type'];

/** A model of the workspace that Dify can use. */
interface DifyModel extends ModelRef {
	/** Provider and model in one, as the fields of the node take it. */
	value: string;
	label: string;
	providerLabel: string;
	type: ModelType;
	/** `active`, or why it cannot be used. */
	status: string;
	features: string[];
	/** Tokens. */
	contextSize?: number;
}

/** Separator of provider and model in one value: the IDs of providers have slashes. */
const BETWEEN = '|';

/** The models in a list of providers. Only those with the status `active` can be used. */
export function modelsIn(providers: readonly JsonRecord[], type: ModelType): DifyModel[] {
	return providers.flatMap((provider) => {
		const id = nonEmptyText(provider.provider);
		if (id === undefined) return [];
		return recordsIn(provider.models).flatMap((each) => modelIn(each, id, provider, type));
	});
}

/** Models of one type in the workspace. */
export async function listModels(api: KnowledgeApi, type: ModelType): Promise<DifyModel[]> {
	return modelsIn(await api.call(baseRoutes.models, { model_type: type }), type);
}

function modelIn(
	each: JsonRecord,
	provider: string,
	owner: JsonRecord,
	type: ModelType,
): DifyModel[] {
	const model = nonEmptyText(each.model);
	if (model === undefined) return [];
	const contextSize = finiteNumber(recordOf(each.model_properties).context_size);
	return [
		{
			provider,
			model,
			value: modelValue({ provider, model }),
			label: labelIn(each.label) ?? model,
			providerLabel: labelIn(owner.label) ?? provider,
			type,
			status: nonEmptyText(each.status) ?? 'unknown',
			features: asList(each.features).flatMap((feature) => nonEmptyText(feature) ?? []),
			...optional({ contextSize }),
		},
	];
}

function labelIn(label: unknown): string | undefined {
	return nonEmptyText(recordOf(label).en_US) ?? nonEmptyText(label);
}

/** Joins provider and model into one text. */
export function modelValue({ provider, model }: ModelRef): string {
	return `${provider}${BETWEEN}${model}`;
}

/**
 * Splits such a text; undefined for an empty one.
 *
 * @throws {ServerError} where it does not name both
 */
export function modelRef(value: string): ModelRef | undefined {
	if (value.trim() === '') return undefined;
	const at = value.indexOf(BETWEEN);
	const [provider, model] = [value.slice(0, at).trim(), value.slice(at + 1).trim()];
	if (at > 0 && model !== '') return { provider, model };
	throw invalidParam(
		`The model "${value.slice(0, 100)}" does not say which provider it is of`,
		'Choose it from the list, or write provider and model, such as langgenius/gpustack/gpustack|bge-m3.',
	);
}
