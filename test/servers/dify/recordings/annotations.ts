import type { DifySim } from '../../dify';
import { isJson } from '../http';
import type { SimAnnotation, SimApp } from '../types';
import type { Scene } from './scene';

/** Recreates the annotations and jobs that the recorded server had at the time of the request. */
export function annotationRecords(scene: Scene, sim: DifySim, app: SimApp): void {
	const { path, answer } = scene;
	const id = path.split('/').at(-1) ?? '';
	if (path.includes('/status/')) job(scene, app, id);
	else if (path === '/v1/apps/annotations') list(scene, app);
	else if (answer.status < 300) {
		const owner = /otherapp/.test(scene.recorded.name) ? sim.store.apps[1] : app;
		owner?.annotations.push(annotation(id, 0));
	}
}

function annotation(id: string, createdAt: number, text = ''): SimAnnotation {
	return { id, question: text, answer: text, hit_count: 0, created_at: createdAt };
}

/** The recorded page, and enough entries before and after it. */
function list({ json, query }: Scene, app: SimApp): void {
	if (!isJson(json) || !Array.isArray(json.data)) return;
	const shown = json.data as SimAnnotation[];
	const earlier = (Number(query.get('page') || 1) - 1) * Number(json.limit);
	const others = Number(json.total) - shown.length;
	app.annotations.push(...shown);
	for (let at = 0; at < others; at++)
		app.annotations.push(annotation(`${at}`, at < earlier ? 9e9 : 0, query.get('keyword') ?? ''));
}

function job({ json, path }: Scene, app: SimApp, id: string): void {
	if (!isJson(json) || json.job_id !== id) return;
	const action = path.includes('/enable/') ? 'enable' : 'disable';
	app.annotationJobs.set(id, {
		action,
		next: { enabled: action === 'enable' },
		looks: json.job_status === 'waiting' ? 1 : 0,
		...(json.job_status === 'error' ? { error: String(json.error_msg) } : {}),
	});
}
