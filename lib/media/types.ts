import type { FileSource } from '../http/multipart';
import type { MediaAttempt, MediaOptions } from './task';
import type { JsonRecord } from '../values';

export interface ImageRequest {
	/** Empty: the server chooses. */
	model: string;
	prompt: string;
	count: number;
	/** Width x height in pixels, `512x768`; empty: the server chooses. */
	size: string;
	/** Empty: the server chooses. */
	format: '' | 'png' | 'jpeg' | 'webp';
	negativePrompt: string;
	steps?: number;
	/** How closely the picture follows the prompt (CFG scale). */
	guidance?: number;
	seed?: number;
	/** Further fields of the request, in the server's own words. */
	extra: JsonRecord;
	/** Pictures to edit; none: a new one is made. */
	images: readonly FileSource[];
	/** Which part of the picture may change. */
	mask?: FileSource;
}

export interface ImageOptions extends MediaOptions {
	/** Called with each status of a job. */
	onProgress?: (progress: JobProgress) => void;
}

/** The options at one server. */
export type ImageAttempt = ImageOptions & MediaAttempt;

export interface JobProgress {
	/** `queued` or `generating`. */
	status: string;
	/** Jobs in front of it, itself included. */
	queuePosition: number;
	/** Since the job was sent. */
	seconds: number;
}
