import { kindOfServer } from './answers';
import type { HealthServerKind, ServerFacts } from './observations';

const NAMES: Partial<Record<HealthServerKind, string>> = {
	dify: 'Dify',
	openAiCompatible: 'OpenAI-compatible server',
	stableDiffusionWebUi: 'Stable Diffusion WebUI',
	unknown: 'Unknown server',
};

/** Builds of llama-server without Git name a version that is none: "b0-unknown". */
const NO_VERSION = /^b0\b|unknown/i;

/** The server as people name it, with its version where that is known. */
export function nameOfServer({ kind, version }: ServerFacts['server']): string {
	return withVersion(NAMES[kind] ?? kindOfServer(kind).label, version);
}

export function withVersion(name: string, version: string | null): string {
	return version === null || version === '' || NO_VERSION.test(version)
		? name
		: `${name} ${version}`;
}
