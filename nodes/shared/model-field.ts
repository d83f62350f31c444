import type { INodeProperties } from 'n8n-workflow';

import { listField } from './field-kinds';

/** Where a list of models comes from, and what a name looks like. */
interface ModelChoice {
	/** Name of the node's list search. Default: `searchModels`, every model of the server. */
	search?: string;
	/** A name, shown in the empty field. */
	example?: string;
	/** Empty, it is the model that is loaded, or the only one (`withModel`). */
	mayBeEmpty?: boolean;
}

/** Below the name of a node: the model's file without its folder and `.gguf`, or that it is the loaded one. */
export const MODEL_SUBTITLE =
	'={{ String($parameter.model?.value ?? $parameter.model ?? "").split(/[\\/\\\\]/).pop().replace(/\\.gguf$/i, "") || "loaded model" }}';

/** The model, from the list of the server or by its name. */
export function modelField(more: Partial<INodeProperties>, choice: ModelChoice = {}): INodeProperties {
	const { search = 'searchModels', example = 'qwen3-8b', mayBeEmpty = false } = choice;
	const description = `${more.description}. Leave it empty for the model that is loaded, or the only one.`;
	const typed = { displayName: 'By Name', placeholder: `e.g. ${example}` };
	return listField('Model', 'model', search, typed, {
		placeholder: mayBeEmpty ? 'The loaded model, or select one…' : undefined,
		builderHint: {
			propertyHint: `Take an ID from the list with the user's credential, letter by letter. ${mayBeEmpty ? 'Unknown: leave it empty, which means the model that is loaded.' : 'Never invent one.'}`,
		},
		...more,
		...(mayBeEmpty ? { description: description.replace('..', '.') } : {}),
	});
}
