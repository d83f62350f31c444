import type { INodeProperties } from 'n8n-workflow';

import { resourceLocatorField } from './field-builders';

/** Subtitle of a node: the model's file name without folder and `.gguf`, or "loaded model". */
export const MODEL_SUBTITLE =
	'={{ String($parameter.model?.value ?? $parameter.model ?? "").split(/[\\/\\\\]/).pop().replace(/\\.gguf$/i, "") || "loaded model" }}';

/**
 * The model, from the server's list or by its name.
 *
 * @param description without its final period
 * @param options the node's list search, and the name that the empty field shows as an example
 */
export function modelField(
	description: string,
	{ search, example } = { search: 'searchModels', example: 'qwen3-8b' },
): INodeProperties {
	const nameMode = { displayName: 'By Name', placeholder: `e.g. ${example}` };
	return resourceLocatorField('Model', 'model', search, nameMode, {
		placeholder: 'The loaded model, or select one…',
		description: `${description}. Leave empty to use the loaded model, or the only one.`,
	});
}
