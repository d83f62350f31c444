import { LruCache } from '../../lru-cache';
import { FAMILIES, type Family } from './families';

/** What the family of a model is derived from. */
interface FamilySigns {
	template?: string;
	model: string;
	/** The server's own format, for models without one. */
	fallback?: string;
}

/** The name of a fine-tune often holds that of its base: `Hermes-3-Llama-3.1-8B`, `Llama-xLAM-2-8b`. */
function familyByName(model: string): Family | undefined {
	const ofFineTune = FAMILIES.find(({ fineTunes }) => fineTunes?.test(model));
	return ofFineTune ?? FAMILIES.find((family) => family.model.test(model));
}

/** By the name of the model; no family is remembered, too. */
const familiesByName = LruCache.shared<{ family: Family | undefined }>();

function rememberedByName(model: string): Family | undefined {
	const remembered = familiesByName.get(model);
	if (remembered !== undefined) return remembered.family;
	const family = familyByName(model);
	familiesByName.set(model, { family });
	return family;
}

function familyByTemplate(chatTemplate: string): Family | undefined {
	return FAMILIES.find(({ template }) => template?.test(chatTemplate));
}

function familyNamed(family: string | undefined): Family | undefined {
	return FAMILIES.find(({ id }) => id === family);
}

/** The family of a model: by its template, else by its name, else the server's own. */
export function familyOf({ template, model, fallback }: FamilySigns): Family | undefined {
	const ofTemplate = template === undefined ? undefined : familyByTemplate(template);
	return ofTemplate ?? rememberedByName(model) ?? familyNamed(fallback);
}
