import type { FileSource } from '../http/multipart';
import type { MediaAttempt, MediaOptions } from './task';

export interface ImageRequest {
	/** Empty: the server has one. */
	model: string;
	prompt: string;
	count: number;
	/** Pixels, `512x768`; empty: as the server likes. */
	size: string;
	/** Empty: as the server likes. */
	format: '' | 'png' | 'jpeg' | 'webp';
	negativePrompt: string;
	steps?: number;
	/** How closely the picture follows the prompt (CFG scale). */
	guidance?: number;
	seed?: number;
	/** Further fields of the request, in the server's own words. */
	extra: Record<string, unknown>;
	/** What is edited; none: a new picture. */
	images: readonly FileSource[];
	/** What of the picture may change. */
	mask?: FileSource;
}

export interface ImageOptions extends MediaOptions {
	/** Called where the server tells how its job goes on. */
	onProgress?: (progress: JobProgress) => void;
}

/** The same at one server. */
export type ImageAttempt = ImageOptions & MediaAttempt;

export interface JobProgress {
	/** `queued` or `generating`. */
	status: string;
	/** Jobs in front of it, itself included. */
	queuePosition: number;
	/** Since it was sent. */
	seconds: number;
}
