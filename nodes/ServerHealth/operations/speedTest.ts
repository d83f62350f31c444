import { testSpeed } from '../../../lib/health/speed-test';
import type { Operation } from '../operation';

export const speedTest: Operation = async (target, parameters) => ({
	health: await testSpeed(target, {
		model: parameters.model,
		tokens: Math.floor(parameters.number('tokens', 64, 1, 4096)),
		atOnce: Math.floor(parameters.number('atOnce', 1, 1, 64)),
		firstTokenMs: parameters.milliseconds('speedOptions', 'firstTokenLimit', 60),
		totalMs: parameters.milliseconds('speedOptions', 'totalLimit', 180),
		check: parameters.check(),
		signal: parameters.signal,
	}),
});
