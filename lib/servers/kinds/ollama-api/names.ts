import { isNamed } from '../../model-names';

/** Where Ollama fetches models that are named without a registry (types/model/name.go). */
const DEFAULT_PLACE = /^(?:https?:\/\/)?(?:registry\.ollama\.ai\/)?(?:library\/)?/;

/** Whether two names mean the same model: without regard to case, with or without registry and `library`. */
export function isSameOllamaName(id: string, name: string): boolean {
	const [one, other] = [id, name].map((text) => text.toLowerCase().replace(DEFAULT_PLACE, '')) as [
		string,
		string,
	];
	return isNamed(one, other) || isNamed(other, one);
}
