import type { Finding, ModelFacts } from '../../../../lib/health/observations';
import type { FullCheck } from '../../../../lib/health/report/page';
import type { SpeedRun } from '../../../../lib/health/speed/measure';

export function model(id: string): ModelFacts {
	return {
		id,
		aliases: [],
		context: 8192,
		trainedContext: 32768,
		parameters: 7.6e9,
		size: 4.7e9,
		quantization: 'Q4_K_M',
		vision: false,
		audio: null,
		tools: true,
		embeddings: false,
		remoteHost: null,
		loaded: true,
		state: 'loaded',
	};
}

export function run(
	atOnce: number,
	tokensPerSecond: number,
	firstTokenMs: number | null,
): SpeedRun {
	return {
		atOnce,
		firstTokenMs,
		firstTextMs: firstTokenMs,
		queuedMs: 0,
		promptTokensPerSecond: 800,
		tokensPerSecond,
		acceptedDrafts: null,
		totalTokensPerSecond: tokensPerSecond * atOnce * 0.9,
		samples: [],
		failures: [],
	};
}

export function finding(text: string): Finding {
	return { id: 'metricsOff', severity: 'info', observed: text, meaning: text, advice: text };
}

export function result(change: Partial<FullCheck> = {}): FullCheck {
	return {
		status: 'healthy',
		healthy: true,
		summary: 'All is well.',
		url: 'http://10.0.0.5:8080',
		findings: [finding('Something small')],
		server: { kind: 'llamaServer', version: 'b6000-1234' },
		latencyMs: 3,
		models: [model('qwen3-8b')],
		slots: { total: 4, busy: 0 },
		queue: 0,
		contextPerSlot: 8192,
		checkedAt: '2026-11-20T09:00:00.000Z',
		checkMs: 12,
		speed: { model: 'qwen3-8b', runs: [run(1, 82.4, 210), run(2, 75, 240), run(4, 61, 390)] },
		...change,
	};
}

/** Every element of a page with its attributes, as a strict reader sees it; fails where tags do not match. */
export function elements(
	page: string,
): Array<{ name: string; attributes: Record<string, string> }> {
	const found: Array<{ name: string; attributes: Record<string, string> }> = [];
	const open: string[] = [];
	const withoutStyle = page
		.replace(/<style>[^<]*<\/style>/, '<style></style>')
		.replace(/^<!doctype html>/, '');
	let at = 0;
	for (const match of withoutStyle.matchAll(
		/<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+="[^"<>]*")*)\s*(\/?)>/g,
	)) {
		const [whole, closing, name, attributes, closed] = match as unknown as [
			string,
			string,
			string,
			string,
			string,
		];
		const between = withoutStyle.slice(at, match.index);
		if (/[<>]/.test(between)) throw new Error(`a bare angle bracket in ${between}`);
		if (/&(?!(?:amp|lt|gt|quot|#39);)/.test(between))
			throw new Error(`a bare ampersand in ${between}`);
		at = match.index + whole.length;
		if (closing === '/') {
			const last = open.pop();
			if (last !== name) throw new Error(`</${name}> where </${last}> is due`);
			continue;
		}
		found.push({
			name,
			attributes: Object.fromEntries(
				[...attributes.matchAll(/([a-zA-Z-]+)="([^"]*)"/g)].map(([, key, value]) => [key!, value!]),
			),
		});
		if (closed !== '/' && name !== 'meta') open.push(name);
	}
	if (/[<>]/.test(withoutStyle.slice(at))) throw new Error('a bare angle bracket at the end');
	if (open.length > 0) throw new Error(`never closed: ${open.join(', ')}`);
	return found;
}
