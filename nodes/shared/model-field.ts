import type { INodeProperties } from 'n8n-workflow';

import { listField } from './field-kinds';

/** Source of a list of models, and example of a name. */
interface ModelChoice {
	/** Name of the node's list search. Default: `searchModels`. */
	search?: string;
	/** A name, shown in the empty field. */
	example?: string;
	/** If empty, the loaded or only model is used. */
	mayBeEmpty?: boolean;
}

/** Subtitle of a node: the model's file name without folder and `.gguf`, or "loaded model". */
export const MODEL_SUBTITLE =
	'={{ String($parameter.model?.value ?? $parameter.model ?? "").split(/[\\/\\\\]/).pop().replace(/\\.gguf$/i, "") || "loaded model" }}';

/** The model, from the list of the server or by its name. */
export function modelField(
	more: Partial<INodeProperties>,
	choice: ModelChoice = {},
): INodeProperties {
	const { search = 'searchModels', example = 'qwen3-8b', mayBeEmpty = false } = choice;
	const description = `${more.description}. Leave it empty for the model that is loaded, or the only one.`;
	const typed = { displayName: 'By Name', placeholder: `e.g. ${example}` };
	return listField('Model', 'model', search, typed, {
		placeholder: mayBeEmpty ? 'The loaded model, or select one…' : undefined,
		...more,
		...(mayBeEmpty ? { description: description.replace('..', '.') } : {}),
	});
}
