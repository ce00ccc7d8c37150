/* Generated from farm-ui/api/openapi.json by farm-ui/api/writeOpenApi.ts. Do not edit. */
export interface paths {
    "/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign the page in */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        key: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Me"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        /** Sign the page out */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who this key belongs to */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Me"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/farm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Version, prices, token */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FarmInfo"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/nodes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Render nodes */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["NodeList"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sites": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Sites */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            items: components["schemas"]["Site"][];
                        };
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        /**
         * Register a site
         * @description Operators only. The store is reached and its bucket made before anything is kept.
         */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description The same request with the same key happens once; a repetition gets the first answer. */
                    "Idempotency-Key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SiteRequestInput"];
                };
            };
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Site"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sites/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Says `sites.changed`, live, when a site or a node of one changes; read the list then */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Messages with `event` sites.changed */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": string;
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sites/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change, drain, resume or remove a site
         * @description Operators only. What is not named stays as it is. A site with frames that no studio has acknowledged is removed by `force` only. A removed site may be registered again.
         */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SiteChangeInput"];
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Site"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        trace?: never;
    };
    "/v1/store/gc": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Remove what nothing names, from the own store and those of all sites
         * @description Operators only. The farm does so by itself, once an hour.
         */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description The same request with the same key happens once; a repetition gets the first answer. */
                    "Idempotency-Key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["GarbageRequestInput"] | null;
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["GarbageReport"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/store/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Read and hash what the record says is stored, a round at a time; with `repair`, mend what is wrong
         * @description Operators only.
         */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description The same request with the same key happens once; a repetition gets the first answer. */
                    "Idempotency-Key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["StoreCheckRequestInput"] | null;
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["StoreCheckReport"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Before anything is read or sent: refuses what would be refused
         * @description Names, sizes and settings of a submission, without hashes. Keeps nothing.
         */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description The same request with the same key happens once; a repetition gets the first answer. */
                    "Idempotency-Key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["JobCheckInput"];
                };
            };
            responses: {
                /** @description Default Response */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/blobs/missing": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Which of these blobs the store lacks, with addresses to put them
         * @description For uploads that begin before all files are read. What is put is kept for a day for the submission that will name it.
         */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description The same request with the same key happens once; a repetition gets the first answer. */
                    "Idempotency-Key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["MissingRequestInput"];
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["MissingBlobs"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Jobs, newest first */
        get: {
            parameters: {
                query?: {
                    cursor?: string;
                    limit?: number;
                    status?: "uploading" | "preparing" | "quoted" | "active" | "paused" | "stopping" | "completed" | "cancelled" | "failed" | "expired";
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JobPage"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        /** Submit: check what can be checked, and say which bytes the store lacks */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description The same request with the same key happens once; a repetition gets the first answer. */
                    "Idempotency-Key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["JobRequestInput"];
                };
            };
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JobCreated"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/prepare": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * After the uploads: inspect, calibrate, quote. Takes some seconds
         * @description A mistake in files or settings found here deletes the submission. A job that is quoted already is answered as it is; one that lacks uploads stays and may be prepared again.
         */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description The same request with the same key happens once; a repetition gets the first answer. */
                    "Idempotency-Key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Job"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One job */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Job"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/why": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Why the job waits, or why it ended */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Why"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Accept the quote: the cap is deposited in escrow, rendering starts */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description The same request with the same key happens once; a repetition gets the first answer. */
                    "Idempotency-Key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Default: the suggested cap of the quote */
                        cap?: string;
                    } | null;
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Job"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/decline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Decline the quote, or give a submission up: what it brought is deleted */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description The same request with the same key happens once; a repetition gets the first answer. */
                    "Idempotency-Key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Pause: nothing new starts, nodes hand back what they hold */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description The same request with the same key happens once; a repetition gets the first answer. */
                    "Idempotency-Key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Job"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Go on after a pause */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description The same request with the same key happens once; a repetition gets the first answer. */
                    "Idempotency-Key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Job"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Cancel: what is committed stays yours and is billed, the rest is refunded */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description The same request with the same key happens once; a repetition gets the first answer. */
                    "Idempotency-Key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Job"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/raise-cap": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Raise the cap; a job that paused for its budget goes on
         * @description The new cap holds, and the event money.changed says so, once the difference is in escrow.
         */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description The same request with the same key happens once; a repetition gets the first answer. */
                    "Idempotency-Key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description The new cap, larger than the old one */
                        cap: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Job"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/frames": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A job's frames in order */
        get: {
            parameters: {
                query?: {
                    cursor?: string;
                    limit?: number;
                    status?: "planned" | "offered" | "leased" | "uploaded" | "verified" | "committed" | "failed" | "cancelled";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FramePage"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/frames/{unitId}/urls": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Addresses of a committed frame, for an hour */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                    unitId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FrameUrls"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/frames/urls": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Addresses of many committed frames, for an hour; those that are not committed are left out */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description The same request with the same key happens once; a repetition gets the first answer. */
                    "Idempotency-Key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        unitIds: string[];
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FrameAddressesPage"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/frames/{unitId}/exr": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Redirect to the picture (OpenEXR) */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                    unitId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                302: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/frames/{unitId}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Redirect to the preview beside it (PNG; with a width, a WebP no wider where its site has an agent) */
        get: {
            parameters: {
                query?: {
                    width?: number;
                };
                header?: never;
                path: {
                    id: string;
                    unitId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                302: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/frames/{unitId}/picture": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Redirect to the picture in the format that the job chose */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                    unitId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                302: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The files that a job renders from, with addresses for an hour */
        get: {
            parameters: {
                query?: {
                    cursor?: number;
                    limit?: number;
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ProjectFiles"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/outputs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Addresses of manifest, film and contact sheet, for an hour */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Outputs"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/outputs/film": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Redirect to the film; byte ranges work there */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                302: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/outputs/contact-sheet": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Redirect to the contact sheet; byte ranges work there */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                302: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/outputs/manifest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Redirect to the manifest; byte ranges work there */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                302: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/frames/heads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The first two quarters of frames that are being judged, for a minute; other frames, and small ones, are left out */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description The same request with the same key happens once; a repetition gets the first answer. */
                    "Idempotency-Key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        unitIds: string[];
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FrameHeadsPage"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Acknowledge frames that arrived whole, by the hash of their EXR
         * @description All of a request or none: a hash that is not the frame's is HashMismatch, a frame that is not committed NotFound. Said again, nothing changes. A job that awaits delivery ends when all its frames are acknowledged.
         */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description The same request with the same key happens once; a repetition gets the first answer. */
                    "Idempotency-Key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["DeliveryNoteInput"];
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Delivery"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A job's events from the beginning, after `after`, or after Last-Event-ID; then live */
        get: {
            parameters: {
                query?: {
                    after?: number;
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Messages with `event` (the type), `data` (JobEvent as JSON) and, where one can resume, `id` (seq) */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": string;
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What changes in the studio's jobs, live; nothing is repeated, so read the list after connecting */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Messages with `event` (the type), `data` (JobEvent as JSON) and, where one can resume, `id` (seq) */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": string;
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/invoice": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The invoice, line by line down to the frame */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Invoice"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/invoice/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Check every line's proof against the chain and every frame's hash against the store; reads all frames */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description The same request with the same key happens once; a repetition gets the first answer. */
                    "Idempotency-Key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Verification"];
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/invoice.pdf": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The invoice as PDF */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description PDF */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/pdf": unknown;
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/invoice.csv": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The invoice as CSV, a row for each line or for each unit */
        get: {
            parameters: {
                query?: {
                    detail?: "lines" | "units";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description CSV */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/csv": string;
                    };
                };
                /** @description Default Response */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        SubmittedFileInput: {
            /** @description Relative to the project root, forward slashes */
            path: string;
            sizeBytes: number;
            /** @description SHA-256 of the whole file */
            hash: string;
            /** @description Slices of blobs that make up the file, in order, without gaps; absent: the file is the blob `hash` */
            parts?: components["schemas"]["FilePartInput"][];
        };
        BlobInput: {
            /** @description SHA-256, lower-case hex */
            hash: string;
            sizeBytes: number;
        };
        FilePartInput: {
            /** @description The blob that holds these bytes */
            blob: string;
            /** @description Where they begin in the blob */
            offset: number;
            sizeBytes: number;
        };
        JobRequestInput: {
            /** @description Shot name; also names the project */
            name: string;
            /** @description Path of the scene file among the files */
            main: string;
            /** @description 1-100, 1-100x2, 1-10,20; default: what the animation covers */
            frames?: string;
            /**
             * @description raster: scrub draft; raycast: quick look; pathtrace: final
             * @enum {string}
             */
            technique?: "raster" | "raycast" | "pathtrace";
            /**
             * @description Tier that traces; auto lets the node decide
             * @enum {string}
             */
            tier?: "auto" | "cpu" | "gpu";
            width?: number;
            height?: number;
            /** @description Only this part of the picture, pixels from its top left, half open */
            crop?: {
                x0: number;
                y0: number;
                x1: number;
                y1: number;
            } | null;
            /** @description Samples a pixel; the most a pixel gets when sampling is adaptive */
            samples?: number;
            adaptive?: {
                /** @description Standard error of a pixel’s tone-mapped luminance that is good enough, e.g. 0.01 */
                threshold: number;
                minSamples?: number;
            } | null;
            /** @description Longest path, in bounces */
            maxDepth?: number;
            /** @description Longest path in bounces of one kind; null: only maxDepth counts */
            depths?: {
                diffuse?: number | null;
                specular?: number | null;
                transmission?: number | null;
            };
            /** @description Largest luminance of one sample at the first hit; 0 is off */
            clampDirect?: number;
            /** @description Largest luminance of one sample after the first hit; 0 is off */
            clampIndirect?: number;
            filter?: {
                /** @enum {string} */
                kind?: "box" | "triangle" | "gaussian" | "blackman-harris";
                /** @description Pixels */
                radius?: number;
            };
            energyCompensation?: boolean;
            lens?: {
                /** @description Null is a pinhole */
                fStop?: number | null;
                /** @description Metres */
                focusDistance?: number | null;
                blades?: number;
            };
            /** @description Share of the frame that the shutter is open; 0.5 is 180 degrees */
            shutter?: number;
            seed?: number;
            /** @description Scene of the file, by name or number */
            scene?: string | null;
            /** @description Material variant, by name */
            variant?: string | null;
            camera?: string | null;
            fps?: number;
            /** @description Frame number of time 0; default what the scene says, else 1 */
            start?: number;
            denoise?: boolean;
            exposure?: number;
            /**
             * @description View transform of previews and film
             * @enum {string}
             */
            view?: "srgb" | "agx" | "aces" | "neutral" | "raw";
            output?: {
                /** @description Layers of the EXR: beauty, diffuse_direct, diffuse_indirect, specular_direct, specular_indirect, transmission, emission, environment, albedo, normal, position, depth, motion, uv, sample_count, variance, cryptomatte_object, cryptomatte_material, diffuse_direct_variance, diffuse_indirect_variance, specular_direct_variance, specular_indirect_variance, transmission_variance; or all, light, cryptomatte */
                layers?: string[];
                /** @description Adds <layer>_denoised of beauty and of the light layers */
                denoisedLayers?: boolean;
                /** @description Layers written as float, not half */
                floatLayers?: string[];
                /** @enum {string} */
                compression?: "none" | "zips" | "zip" | "piz";
                /**
                 * @description Primaries of the EXR, linear
                 * @enum {string}
                 */
                colorSpace?: "rec709" | "acescg";
                /**
                 * @description Format of the picture beside the EXR
                 * @enum {string}
                 */
                picture?: "png" | "tiff" | "webp" | "jpeg";
            };
            /** @description Output name, default {shot}_{layer}_v{version}.{frame:04}.{ext} */
            template?: string;
            priority?: number;
            /** @description Refuses with CapTooSmall when not even one frame fits */
            cap?: string;
            placement?: {
                /**
                 * @description The earliest end, or the lowest price
                 * @default finish
                 * @enum {string}
                 */
                objective: "finish" | "cost";
                /** @description Names of the only sites that may take it */
                sites?: string[];
                /** @description The only country that it may be rendered and stored in */
                country?: string;
            };
            /** @description False: take no frame from the frame cache and keep none there */
            cache?: boolean;
            /** @description The studio takes the frames as they come: the job, once settled, ends when it has acknowledged all */
            awaitDelivery?: boolean;
            files: components["schemas"]["SubmittedFileInput"][];
            /** @description The blobs that files name by their parts */
            blobs?: components["schemas"]["BlobInput"][];
        };
        JobCheckInput: {
            /** @description Shot name; also names the project */
            name: string;
            /** @description Path of the scene file among the files */
            main: string;
            /** @description 1-100, 1-100x2, 1-10,20; default: what the animation covers */
            frames?: string;
            /**
             * @description raster: scrub draft; raycast: quick look; pathtrace: final
             * @enum {string}
             */
            technique?: "raster" | "raycast" | "pathtrace";
            /**
             * @description Tier that traces; auto lets the node decide
             * @enum {string}
             */
            tier?: "auto" | "cpu" | "gpu";
            width?: number;
            height?: number;
            /** @description Only this part of the picture, pixels from its top left, half open */
            crop?: {
                x0: number;
                y0: number;
                x1: number;
                y1: number;
            } | null;
            /** @description Samples a pixel; the most a pixel gets when sampling is adaptive */
            samples?: number;
            adaptive?: {
                /** @description Standard error of a pixel’s tone-mapped luminance that is good enough, e.g. 0.01 */
                threshold: number;
                minSamples?: number;
            } | null;
            /** @description Longest path, in bounces */
            maxDepth?: number;
            /** @description Longest path in bounces of one kind; null: only maxDepth counts */
            depths?: {
                diffuse?: number | null;
                specular?: number | null;
                transmission?: number | null;
            };
            /** @description Largest luminance of one sample at the first hit; 0 is off */
            clampDirect?: number;
            /** @description Largest luminance of one sample after the first hit; 0 is off */
            clampIndirect?: number;
            filter?: {
                /** @enum {string} */
                kind?: "box" | "triangle" | "gaussian" | "blackman-harris";
                /** @description Pixels */
                radius?: number;
            };
            energyCompensation?: boolean;
            lens?: {
                /** @description Null is a pinhole */
                fStop?: number | null;
                /** @description Metres */
                focusDistance?: number | null;
                blades?: number;
            };
            /** @description Share of the frame that the shutter is open; 0.5 is 180 degrees */
            shutter?: number;
            seed?: number;
            /** @description Scene of the file, by name or number */
            scene?: string | null;
            /** @description Material variant, by name */
            variant?: string | null;
            camera?: string | null;
            fps?: number;
            /** @description Frame number of time 0; default what the scene says, else 1 */
            start?: number;
            denoise?: boolean;
            exposure?: number;
            /**
             * @description View transform of previews and film
             * @enum {string}
             */
            view?: "srgb" | "agx" | "aces" | "neutral" | "raw";
            output?: {
                /** @description Layers of the EXR: beauty, diffuse_direct, diffuse_indirect, specular_direct, specular_indirect, transmission, emission, environment, albedo, normal, position, depth, motion, uv, sample_count, variance, cryptomatte_object, cryptomatte_material, diffuse_direct_variance, diffuse_indirect_variance, specular_direct_variance, specular_indirect_variance, transmission_variance; or all, light, cryptomatte */
                layers?: string[];
                /** @description Adds <layer>_denoised of beauty and of the light layers */
                denoisedLayers?: boolean;
                /** @description Layers written as float, not half */
                floatLayers?: string[];
                /** @enum {string} */
                compression?: "none" | "zips" | "zip" | "piz";
                /**
                 * @description Primaries of the EXR, linear
                 * @enum {string}
                 */
                colorSpace?: "rec709" | "acescg";
                /**
                 * @description Format of the picture beside the EXR
                 * @enum {string}
                 */
                picture?: "png" | "tiff" | "webp" | "jpeg";
            };
            /** @description Output name, default {shot}_{layer}_v{version}.{frame:04}.{ext} */
            template?: string;
            priority?: number;
            /** @description Refuses with CapTooSmall when not even one frame fits */
            cap?: string;
            placement?: {
                /**
                 * @description The earliest end, or the lowest price
                 * @default finish
                 * @enum {string}
                 */
                objective: "finish" | "cost";
                /** @description Names of the only sites that may take it */
                sites?: string[];
                /** @description The only country that it may be rendered and stored in */
                country?: string;
            };
            /** @description False: take no frame from the frame cache and keep none there */
            cache?: boolean;
            /** @description The studio takes the frames as they come: the job, once settled, ends when it has acknowledged all */
            awaitDelivery?: boolean;
            files: {
                /** @description Relative to the project root, forward slashes */
                path: string;
                sizeBytes: number;
            }[];
        };
        MissingRequestInput: {
            blobs: components["schemas"]["BlobInput"][];
        };
        MissingBlobsInput: {
            missing: components["schemas"]["MissingBlobInput"][];
        };
        MissingBlobInput: {
            /** @description SHA-256, lower-case hex */
            hash: string;
            /** @description Presigned PUT for exactly these bytes */
            url: string;
            /** @description Send exactly these headers */
            headers: {
                [key: string]: string;
            };
        };
        JobCreatedInput: {
            /** Format: uuid */
            id: string;
            missing: components["schemas"]["MissingBlobInput"][];
        };
        QuoteInput: {
            /** @description Token base units as a decimal string */
            total: string;
            /** @description Token base units as a decimal string */
            unitPrice: string;
            /** @description Frames to be rendered; those from the cache are not among them */
            units: number;
            cache: {
                /** @description Frames that come from the frame cache, not billed, as a range */
                frames: string;
                count: number;
                /** @description Why the cache was not asked; null where it was */
                note: string | null;
            };
            /** @description Token base units as a decimal string */
            suggestedCap: string;
            token: {
                symbol: string;
                decimals: number;
                address: string;
                chainId: number;
            };
            currency: string;
            /** @description Net, in minor units of the currency */
            totalCents: number;
            centsPerTokenE6: number;
            secondsPerFrame: number;
            /** @description Wall time with the nodes that are online now */
            estimatedSeconds: number;
            /** @description Token base units as a decimal string */
            pricePerFbh: string;
            /** Format: date-time */
            expiresAt: string;
        };
        ProblemInput: {
            type: string;
            title: string;
            status: number;
            detail: string;
            code: string;
            place: {
                [key: string]: unknown;
            };
            remedy: string;
            /** @enum {string} */
            fault: "user" | "system";
            retryable: boolean;
        };
        StageProgressInput: {
            /** @enum {string} */
            stage: "intake" | "plan" | "render" | "verify" | "assemble" | "settle";
            /** @enum {string} */
            state: "waiting" | "running" | "done" | "failed" | "skipped";
            fraction: number;
            seconds: number | null;
        };
        FrameCountsInput: {
            total: number;
            committed: number;
            rendering: number;
            failed: number;
            billed: number;
            /** @description Committed from the frame cache, not billed */
            cached: number;
        };
        RenderSettingsInput: {
            /** @constant */
            formatVersion: 1;
            /** @constant */
            engine: "pathtracer";
            /**
             * @description raster: scrub draft; raycast: quick look; pathtrace: final
             * @enum {string}
             */
            technique: "raster" | "raycast" | "pathtrace";
            /**
             * @description Tier that traces; auto lets the node decide
             * @enum {string}
             */
            tier: "auto" | "cpu" | "gpu";
            width: number;
            height: number;
            /** @description Only this part of the picture, pixels from its top left, half open */
            crop: {
                x0: number;
                y0: number;
                x1: number;
                y1: number;
            } | null;
            samples: number;
            adaptive: {
                threshold: number;
                minSamples: number;
            } | null;
            maxDepth: number;
            depths: {
                diffuse: number | null;
                specular: number | null;
                transmission: number | null;
            };
            clampDirect: number;
            clampIndirect: number;
            filter: {
                /** @enum {string} */
                kind: "box" | "triangle" | "gaussian" | "blackman-harris";
                radius: number;
            };
            energyCompensation: boolean;
            lens: {
                fStop: number | null;
                focusDistance: number | null;
                blades: number;
            };
            shutter: number;
            seed: number;
            scene: string | null;
            variant: string | null;
            camera: string | null;
            fps: number;
            start: number;
            denoise: boolean;
            exposure: number;
            /**
             * @description View transform of previews and film
             * @enum {string}
             */
            view: "srgb" | "agx" | "aces" | "neutral" | "raw";
            output: {
                layers: ("beauty" | "diffuse_direct" | "diffuse_indirect" | "specular_direct" | "specular_indirect" | "transmission" | "emission" | "environment" | "albedo" | "normal" | "position" | "depth" | "motion" | "uv" | "sample_count" | "variance" | "cryptomatte_object" | "cryptomatte_material" | "diffuse_direct_variance" | "diffuse_indirect_variance" | "specular_direct_variance" | "specular_indirect_variance" | "transmission_variance")[];
                denoisedLayers: boolean;
                floatLayers: ("beauty" | "diffuse_direct" | "diffuse_indirect" | "specular_direct" | "specular_indirect" | "transmission" | "emission" | "environment" | "albedo" | "normal" | "position" | "depth" | "motion" | "uv" | "sample_count" | "variance" | "cryptomatte_object" | "cryptomatte_material" | "diffuse_direct_variance" | "diffuse_indirect_variance" | "specular_direct_variance" | "specular_indirect_variance" | "transmission_variance")[];
                /** @enum {string} */
                compression: "none" | "zips" | "zip" | "piz";
                /**
                 * @description Primaries of the EXR, linear
                 * @enum {string}
                 */
                colorSpace: "rec709" | "acescg";
                /**
                 * @description Format of the picture beside the EXR
                 * @enum {string}
                 */
                picture: "png" | "tiff" | "webp" | "jpeg";
            };
        };
        JobInput: {
            /** Format: uuid */
            id: string;
            name: string;
            version: number | null;
            /** @enum {string} */
            status: "uploading" | "preparing" | "quoted" | "active" | "paused" | "stopping" | "completed" | "cancelled" | "failed" | "expired";
            /** @enum {string} */
            stage: "intake" | "plan" | "render" | "verify" | "assemble" | "settle";
            stages: components["schemas"]["StageProgressInput"][];
            pauseReason: ("user" | "budget") | null;
            problem: {
                type?: string;
                title?: string;
                status?: number;
                detail?: string;
                code?: string;
                place?: {
                    [key: string]: unknown;
                };
                remedy?: string;
                /** @enum {string} */
                fault?: "user" | "system";
                retryable?: boolean;
            } | null;
            frames: components["schemas"]["FrameCountsInput"];
            frameRange: string;
            width: number;
            height: number;
            samples: number;
            fps: number;
            settings: components["schemas"]["RenderSettingsInput"];
            template: string;
            priority: number;
            /** @description Token base units as a decimal string */
            cap: string;
            /** @description Token base units as a decimal string */
            reserved: string;
            /** @description Token base units as a decimal string */
            spent: string;
            currency: string;
            spentCents: number;
            placement: components["schemas"]["PlacementInput"];
            delivery: components["schemas"]["DeliveryInput"];
            quote: components["schemas"]["QuoteInput"] | null;
            inspection: {
                generator: string | null;
                scenes: string[];
                variants: string[];
                cameras: {
                    name: string;
                    animated: boolean;
                }[];
                durationSeconds: number;
                triangles: number;
                instancedTriangles: number;
                meshes: number;
                materials: number;
                lights: number;
                hasEnvironment: boolean;
                textures: {
                    name: string;
                    width: number;
                    height: number;
                }[];
                textureBytes: number;
            } | null;
            warnings: {
                code: string;
                message: string;
            }[];
            /** Format: date-time */
            createdAt: string;
            acceptedAt: string | null;
            endedAt: string | null;
            estimatedEndAt: string | null;
            eventSeq: number;
        };
        JobPageInput: {
            items: components["schemas"]["JobInput"][];
            nextCursor: string | null;
        };
        FrameInput: {
            /** Format: uuid */
            unitId: string;
            frame: number;
            take: number;
            tile: number;
            layer: string;
            /** @enum {string} */
            status: "planned" | "offered" | "leased" | "uploaded" | "verified" | "committed" | "failed" | "cancelled";
            node: string | null;
            /** @description Token base units as a decimal string */
            price: string;
            /** @description From the frame cache, not billed */
            cached: boolean;
            renderSeconds: number | null;
            /** @description File name from the template, relative, with .exr */
            name: string;
            exr: {
                /** @description SHA-256, lower-case hex */
                hash: string;
                sizeBytes: number;
            } | null;
            preview: {
                /** @description SHA-256, lower-case hex */
                hash: string;
                sizeBytes: number;
            } | null;
            /** @description In the format that the job chose; null where that is PNG, as the preview is */
            picture: {
                /** @description SHA-256, lower-case hex */
                hash: string;
                sizeBytes: number;
            } | null;
            warnings: {
                code: string;
                message: string;
            }[];
            refusals: {
                at: string;
                node: string;
                code: string;
                message: string;
            }[];
            committedAt: string | null;
            /** @description When the studio acknowledged it */
            deliveredAt: string | null;
        };
        FramePageInput: {
            items: components["schemas"]["FrameInput"][];
            nextCursor: string | null;
        };
        DownloadUrlInput: {
            url: string;
            /** @description SHA-256, lower-case hex */
            hash: string;
            sizeBytes: number;
            name: string;
        };
        FrameUrlsInput: {
            exr: components["schemas"]["DownloadUrlInput"] | null;
            preview: components["schemas"]["DownloadUrlInput"] | null;
            picture: components["schemas"]["DownloadUrlInput"] | null;
        };
        FrameAddressesPageInput: {
            items: {
                /** Format: uuid */
                unitId: string;
                /** @description Site whose store has it; null: the farm itself */
                siteId: string | null;
                exr: {
                    url: string;
                    /** @description SHA-256, lower-case hex */
                    hash: string;
                    sizeBytes: number;
                    name: string;
                    /** @description Addresses of further copies at other sites */
                    mirrors: string[];
                    /** @description The same at the site's agent, compressed for the way where that helps */
                    transit: string | null;
                } | null;
                preview: {
                    url: string;
                    /** @description SHA-256, lower-case hex */
                    hash: string;
                    sizeBytes: number;
                    name: string;
                    /** @description Addresses of further copies at other sites */
                    mirrors: string[];
                    /** @description The same at the site's agent, compressed for the way where that helps */
                    transit: string | null;
                } | null;
                picture: {
                    url: string;
                    /** @description SHA-256, lower-case hex */
                    hash: string;
                    sizeBytes: number;
                    name: string;
                    /** @description Addresses of further copies at other sites */
                    mirrors: string[];
                    /** @description The same at the site's agent, compressed for the way where that helps */
                    transit: string | null;
                } | null;
            }[];
        };
        FrameHeadsPageInput: {
            items: {
                /** Format: uuid */
                unitId: string;
                /** @description Site whose store has it; null: the farm itself */
                siteId: string | null;
                /** @description Name of the whole file */
                name: string;
                /** @description SHA-256 of the whole file */
                hash: string;
                /** @description Of the whole file */
                sizeBytes: number;
                /** @description Bytes that the address gives */
                headBytes: number;
                /** @description Answers one request header only: `Range: bytes=0-(headBytes - 1)` */
                url: string;
                /** @description As many bytes again. Answers one request header only: `Range: bytes=headBytes-(2 * headBytes - 1)` */
                nextUrl: string;
            }[];
        };
        ProjectFilesInput: {
            /** @description Path of the scene file */
            main: string;
            items: {
                /** @description Relative to the project root, forward slashes */
                path: string;
                sizeBytes: number;
                /** @description SHA-256 of the whole file */
                hash: string;
                /** @description Slices of blobs that make up the file, in order, without gaps; absent: the file is the blob `hash` */
                parts?: components["schemas"]["FilePartInput"][];
                /** @description Address of the bytes, for an hour; null when the file is made of parts */
                url: string | null;
            }[];
            /** @description Addresses of the blobs that parts on this page name, by hash */
            blobs: {
                [key: string]: string;
            };
            nextCursor: string | null;
        };
        OutputsInput: {
            manifest: components["schemas"]["DownloadUrlInput"] | null;
            film: components["schemas"]["DownloadUrlInput"] | null;
            contactSheet: components["schemas"]["DownloadUrlInput"] | null;
            /** @description Sites that did not answer: film and contact sheet have gaps for what lies there, and are made again when it answers */
            away: string[];
        };
        JobEventInput: {
            seq: number;
            /** Format: uuid */
            jobId: string;
            /** Format: date-time */
            at: string;
            type: string;
            data: {
                [key: string]: unknown;
            };
        };
        NodeInput: {
            /** Format: uuid */
            id: string;
            name: string;
            site: string;
            account: string;
            /** @enum {string} */
            status: "online" | "offline" | "draining" | "left";
            tier: string;
            device: string;
            threads: number;
            memoryBytes: number;
            score: number;
            engineBuild: string;
            /** Format: date-time */
            lastSeenAt: string;
            working: boolean;
        };
        NodeListInput: {
            items: components["schemas"]["NodeInput"][];
        };
        InvoiceUnitInput: {
            /** Format: uuid */
            unitId: string;
            frame: number;
            take: number;
            tile: number;
            /** @description Token base units as a decimal string */
            amount: string;
            /** @description SHA-256, lower-case hex */
            exrHash: string;
        };
        InvoiceLineInput: {
            line: number;
            node: string;
            nodeAccount: string;
            chunk: number;
            frames: string;
            units: components["schemas"]["InvoiceUnitInput"][];
            /** @description Token base units as a decimal string */
            amount: string;
            netCents: number;
            salt: string;
            leaf: string;
            proof: string[];
        };
        InvoiceInput: {
            number: string;
            /** Format: date-time */
            issuedAt: string;
            /** @enum {string} */
            status: "issued" | "posted" | "paid";
            /** Format: uuid */
            jobId: string;
            jobName: string;
            seller: {
                [key: string]: unknown;
            };
            buyer: {
                [key: string]: unknown;
            };
            lines: components["schemas"]["InvoiceLineInput"][];
            /** @description Frames from the frame cache: on no line, not billed */
            cached: {
                count: number;
                frames: string;
            };
            /** @description Token base units as a decimal string */
            total: string;
            /** @description Token base units as a decimal string */
            deposited: string;
            /** @description Token base units as a decimal string */
            refunded: string;
            currency: string;
            netCents: number;
            taxBasisPoints: number;
            taxCents: number;
            grossCents: number;
            centsPerTokenE6: number;
            /** Format: date-time */
            rateAt: string;
            token: {
                symbol: string;
                decimals: number;
                address: string;
                chainId: number;
            };
            settlement: string;
            root: string;
            transaction: string | null;
        };
        VerificationInput: {
            ok: boolean;
            checks: {
                name: string;
                ok: boolean;
                detail: string;
            }[];
            lines: {
                line: number;
                proof: boolean;
                frames: boolean;
                detail: string;
            }[];
        };
        WhyInput: {
            reasons: {
                code: string;
                message: string;
                remedy: string;
            }[];
        };
        DeliveryInput: {
            /**
             * @description on-demand: fetched when the studio likes; awaited: the job ends when all is acknowledged; overdue: it ended before that
             * @enum {string}
             */
            status: "on-demand" | "awaited" | "overdue" | "delivered";
            /** @description Frames that the studio has acknowledged */
            delivered: number;
            /** @description Frames that there are to deliver */
            of: number;
            /** @description When the last of them was acknowledged */
            at: string | null;
        };
        DeliveryNoteInput: {
            frames: {
                /** Format: uuid */
                unitId: string;
                /** @description SHA-256 of the EXR as it arrived, lower-case hex */
                hash: string;
            }[];
        };
        PlacementInput: {
            wish: {
                /**
                 * @description The earliest end, or the lowest price
                 * @default finish
                 * @enum {string}
                 */
                objective: "finish" | "cost";
                /** @description Names of the only sites that may take it */
                sites?: string[];
                /** @description The only country that it may be rendered and stored in */
                country?: string;
            };
            /** @description When it was decided; null: not yet */
            at: string | null;
            why: string | null;
            /** @description Expected end of the last frame, seconds after the decision */
            finishSeconds: number | null;
            shares: {
                /** Format: uuid */
                siteId: string;
                name: string;
                frames: number;
                range: string;
                stageBytes: number;
                backBytes: number;
                finishSeconds: number;
                /** @enum {string} */
                bottleneck: "link-up" | "link-down" | "render";
            }[];
            leftOut: {
                /** Format: uuid */
                siteId: string;
                name: string;
                reason: string;
            }[];
            /** @description What each site that took work really did */
            actual: {
                /** Format: uuid */
                siteId: string;
                name: string;
                /** @description Committed frames that its nodes rendered, those it took over among them */
                frames: number;
                /** @description Its first lease, seconds after the decision */
                beganSeconds: number;
                /** @description Its newest committed frame, seconds after the decision */
                lastSeconds: number | null;
            }[];
        };
        SiteInput: {
            /** Format: uuid */
            id: string;
            name: string;
            /** @enum {string} */
            kind: "home" | "edge";
            /** @enum {string} */
            status: "online" | "draining" | "lost" | "removed";
            country: string | null;
            linkDownBytes: number | null;
            linkUpBytes: number | null;
            priceFactor: number;
            /** @description Has an object store of its own */
            hasStore: boolean;
            hasAgent: boolean;
            nodesOnline: number;
            /** @description That have joined and not left */
            nodes: number;
            /** @description Frames and project data of all studios on record here, counted at most once in half a minute; null for who is no operator */
            storedBytes: number | null;
            lastSeenAt: string | null;
        };
        SiteRequestInput: {
            /** @description Short name, such as berlin-1 */
            name: string;
            /** @description Without one the site keeps its data in the store of the farm */
            store?: {
                /**
                 * Format: uri
                 * @description S3 address for the farm and the studios
                 */
                endpoint: string;
                /**
                 * Format: uri
                 * @description The same store as the site's own nodes reach it; default: the same
                 */
                nearEndpoint?: string;
                /** @default us-east-1 */
                region: string;
                bucket: string;
                accessKey: string;
                secretKey: string;
                /** @description The site agent beside the store, which verifies frames where they lie */
                agent?: {
                    /** Format: uri */
                    url: string;
                    token: string;
                };
            };
            country?: string | null;
            linkDownBytes?: number | null;
            linkUpBytes?: number | null;
            /** @description Price of work here relative to the tariff */
            priceFactor?: number;
        };
        SiteChangeInput: {
            /**
             * @description A draining site takes no new chunks
             * @enum {string}
             */
            status?: "online" | "draining" | "removed";
            /** @description With `removed`: also where frames lie that no studio has acknowledged; they can be fetched no more */
            force?: boolean;
            store?: {
                /**
                 * Format: uri
                 * @description S3 address for the farm and the studios
                 */
                endpoint: string;
                /**
                 * Format: uri
                 * @description The same store as the site's own nodes reach it; default: the same
                 */
                nearEndpoint?: string;
                /** @default us-east-1 */
                region: string;
                bucket: string;
                accessKey: string;
                secretKey: string;
                /** @description The site agent beside the store, which verifies frames where they lie */
                agent?: {
                    /** Format: uri */
                    url: string;
                    token: string;
                };
            };
            country?: string | null;
            linkDownBytes?: number | null;
            linkUpBytes?: number | null;
            /** @description Price of work here relative to the tariff */
            priceFactor?: number;
        };
        GarbageRequestInput: {
            /** @description Only look; nothing is removed */
            dryRun?: boolean;
        };
        GarbageReportInput: {
            dryRun: boolean;
            /** @description Entries of the frame cache that were too old or too many */
            evicted: number;
            places: {
                /** @description Null: the farm's own store */
                site: string | null;
                /** @description Objects that the store holds */
                seen: number;
                /** @description Objects that nothing names */
                objects: number;
                bytes: number;
                unreachable: boolean;
            }[];
        };
        StoreCheckRequestInput: {
            /** @description `nextCursor` of the round before; left out begins */
            cursor?: string;
            /** @description Mend what is wrong from another copy */
            repair?: boolean;
        };
        StoreCheckReportInput: {
            /** @description Objects read and hashed in this round */
            checked: number;
            damages: {
                /** @enum {string} */
                kind: "blobs" | "frames" | "outputs";
                hash: string;
                /** Format: uuid */
                studioId: string;
                /** @description Null: the farm's own store */
                siteId: string | null;
                /** @description Its name. Null: the farm's own store */
                site: string | null;
                /** @description A copy beside the one of record */
                copy: boolean;
                /** @enum {string} */
                condition: "missing" | "wrong";
                /**
                 * @description Whole again; a copy given up; as it was found
                 * @enum {string}
                 */
                outcome: "copied" | "forgotten" | "kept";
                /** @description Another place has the right bytes */
                recoverable: boolean;
                namedBy: {
                    /** @description Project or job */
                    name: string;
                    /** @description Version of the project, id of the job */
                    of: string;
                    path: string;
                    /** @description Where in that file the object's bytes begin */
                    offset: number;
                }[];
            }[];
            /** @description Names of sites (`home` for the own store) that did not answer */
            unreachable: string[];
            nextCursor: string | null;
        };
        FarmInfoInput: {
            version: string;
            nodesOnline: number;
            currency: string;
            /** @description Token base units as a decimal string */
            pricePerFbh: string;
            token: {
                symbol: string;
                decimals: number;
                address: string;
                chainId: number;
            };
        };
        MeInput: {
            /** @enum {string} */
            role: "artist" | "td" | "finance" | "operator" | "node";
            studio: {
                /** Format: uuid */
                id: string;
                slug: string;
                name: string;
                currency: string;
                account: string;
            } | null;
            /** @description Token balance of the studio's account, outside escrow */
            balance: string | null;
        };
        SubmittedFile: {
            /** @description Relative to the project root, forward slashes */
            path: string;
            sizeBytes: number;
            /** @description SHA-256 of the whole file */
            hash: string;
            /** @description Slices of blobs that make up the file, in order, without gaps; absent: the file is the blob `hash` */
            parts?: components["schemas"]["FilePart"][];
        };
        Blob: {
            /** @description SHA-256, lower-case hex */
            hash: string;
            sizeBytes: number;
        };
        FilePart: {
            /** @description The blob that holds these bytes */
            blob: string;
            /** @description Where they begin in the blob */
            offset: number;
            sizeBytes: number;
        };
        JobRequest: {
            /** @description Shot name; also names the project */
            name: string;
            /** @description Path of the scene file among the files */
            main: string;
            /** @description 1-100, 1-100x2, 1-10,20; default: what the animation covers */
            frames?: string;
            /**
             * @description raster: scrub draft; raycast: quick look; pathtrace: final
             * @enum {string}
             */
            technique?: "raster" | "raycast" | "pathtrace";
            /**
             * @description Tier that traces; auto lets the node decide
             * @enum {string}
             */
            tier?: "auto" | "cpu" | "gpu";
            width?: number;
            height?: number;
            /** @description Only this part of the picture, pixels from its top left, half open */
            crop?: {
                x0: number;
                y0: number;
                x1: number;
                y1: number;
            } | null;
            /** @description Samples a pixel; the most a pixel gets when sampling is adaptive */
            samples?: number;
            adaptive?: {
                /** @description Standard error of a pixel’s tone-mapped luminance that is good enough, e.g. 0.01 */
                threshold: number;
                minSamples?: number;
            } | null;
            /** @description Longest path, in bounces */
            maxDepth?: number;
            /** @description Longest path in bounces of one kind; null: only maxDepth counts */
            depths?: {
                diffuse?: number | null;
                specular?: number | null;
                transmission?: number | null;
            };
            /** @description Largest luminance of one sample at the first hit; 0 is off */
            clampDirect?: number;
            /** @description Largest luminance of one sample after the first hit; 0 is off */
            clampIndirect?: number;
            filter?: {
                /** @enum {string} */
                kind?: "box" | "triangle" | "gaussian" | "blackman-harris";
                /** @description Pixels */
                radius?: number;
            };
            energyCompensation?: boolean;
            lens?: {
                /** @description Null is a pinhole */
                fStop?: number | null;
                /** @description Metres */
                focusDistance?: number | null;
                blades?: number;
            };
            /** @description Share of the frame that the shutter is open; 0.5 is 180 degrees */
            shutter?: number;
            seed?: number;
            /** @description Scene of the file, by name or number */
            scene?: string | null;
            /** @description Material variant, by name */
            variant?: string | null;
            camera?: string | null;
            fps?: number;
            /** @description Frame number of time 0; default what the scene says, else 1 */
            start?: number;
            denoise?: boolean;
            exposure?: number;
            /**
             * @description View transform of previews and film
             * @enum {string}
             */
            view?: "srgb" | "agx" | "aces" | "neutral" | "raw";
            output?: {
                /** @description Layers of the EXR: beauty, diffuse_direct, diffuse_indirect, specular_direct, specular_indirect, transmission, emission, environment, albedo, normal, position, depth, motion, uv, sample_count, variance, cryptomatte_object, cryptomatte_material, diffuse_direct_variance, diffuse_indirect_variance, specular_direct_variance, specular_indirect_variance, transmission_variance; or all, light, cryptomatte */
                layers?: string[];
                /** @description Adds <layer>_denoised of beauty and of the light layers */
                denoisedLayers?: boolean;
                /** @description Layers written as float, not half */
                floatLayers?: string[];
                /** @enum {string} */
                compression?: "none" | "zips" | "zip" | "piz";
                /**
                 * @description Primaries of the EXR, linear
                 * @enum {string}
                 */
                colorSpace?: "rec709" | "acescg";
                /**
                 * @description Format of the picture beside the EXR
                 * @enum {string}
                 */
                picture?: "png" | "tiff" | "webp" | "jpeg";
            };
            /** @description Output name, default {shot}_{layer}_v{version}.{frame:04}.{ext} */
            template?: string;
            priority?: number;
            /** @description Refuses with CapTooSmall when not even one frame fits */
            cap?: string;
            placement?: {
                /**
                 * @description The earliest end, or the lowest price
                 * @default finish
                 * @enum {string}
                 */
                objective: "finish" | "cost";
                /** @description Names of the only sites that may take it */
                sites?: string[];
                /** @description The only country that it may be rendered and stored in */
                country?: string;
            };
            /** @description False: take no frame from the frame cache and keep none there */
            cache?: boolean;
            /** @description The studio takes the frames as they come: the job, once settled, ends when it has acknowledged all */
            awaitDelivery?: boolean;
            files: components["schemas"]["SubmittedFile"][];
            /** @description The blobs that files name by their parts */
            blobs?: components["schemas"]["Blob"][];
        };
        JobCheck: {
            /** @description Shot name; also names the project */
            name: string;
            /** @description Path of the scene file among the files */
            main: string;
            /** @description 1-100, 1-100x2, 1-10,20; default: what the animation covers */
            frames?: string;
            /**
             * @description raster: scrub draft; raycast: quick look; pathtrace: final
             * @enum {string}
             */
            technique?: "raster" | "raycast" | "pathtrace";
            /**
             * @description Tier that traces; auto lets the node decide
             * @enum {string}
             */
            tier?: "auto" | "cpu" | "gpu";
            width?: number;
            height?: number;
            /** @description Only this part of the picture, pixels from its top left, half open */
            crop?: {
                x0: number;
                y0: number;
                x1: number;
                y1: number;
            } | null;
            /** @description Samples a pixel; the most a pixel gets when sampling is adaptive */
            samples?: number;
            adaptive?: {
                /** @description Standard error of a pixel’s tone-mapped luminance that is good enough, e.g. 0.01 */
                threshold: number;
                minSamples?: number;
            } | null;
            /** @description Longest path, in bounces */
            maxDepth?: number;
            /** @description Longest path in bounces of one kind; null: only maxDepth counts */
            depths?: {
                diffuse?: number | null;
                specular?: number | null;
                transmission?: number | null;
            };
            /** @description Largest luminance of one sample at the first hit; 0 is off */
            clampDirect?: number;
            /** @description Largest luminance of one sample after the first hit; 0 is off */
            clampIndirect?: number;
            filter?: {
                /** @enum {string} */
                kind?: "box" | "triangle" | "gaussian" | "blackman-harris";
                /** @description Pixels */
                radius?: number;
            };
            energyCompensation?: boolean;
            lens?: {
                /** @description Null is a pinhole */
                fStop?: number | null;
                /** @description Metres */
                focusDistance?: number | null;
                blades?: number;
            };
            /** @description Share of the frame that the shutter is open; 0.5 is 180 degrees */
            shutter?: number;
            seed?: number;
            /** @description Scene of the file, by name or number */
            scene?: string | null;
            /** @description Material variant, by name */
            variant?: string | null;
            camera?: string | null;
            fps?: number;
            /** @description Frame number of time 0; default what the scene says, else 1 */
            start?: number;
            denoise?: boolean;
            exposure?: number;
            /**
             * @description View transform of previews and film
             * @enum {string}
             */
            view?: "srgb" | "agx" | "aces" | "neutral" | "raw";
            output?: {
                /** @description Layers of the EXR: beauty, diffuse_direct, diffuse_indirect, specular_direct, specular_indirect, transmission, emission, environment, albedo, normal, position, depth, motion, uv, sample_count, variance, cryptomatte_object, cryptomatte_material, diffuse_direct_variance, diffuse_indirect_variance, specular_direct_variance, specular_indirect_variance, transmission_variance; or all, light, cryptomatte */
                layers?: string[];
                /** @description Adds <layer>_denoised of beauty and of the light layers */
                denoisedLayers?: boolean;
                /** @description Layers written as float, not half */
                floatLayers?: string[];
                /** @enum {string} */
                compression?: "none" | "zips" | "zip" | "piz";
                /**
                 * @description Primaries of the EXR, linear
                 * @enum {string}
                 */
                colorSpace?: "rec709" | "acescg";
                /**
                 * @description Format of the picture beside the EXR
                 * @enum {string}
                 */
                picture?: "png" | "tiff" | "webp" | "jpeg";
            };
            /** @description Output name, default {shot}_{layer}_v{version}.{frame:04}.{ext} */
            template?: string;
            priority?: number;
            /** @description Refuses with CapTooSmall when not even one frame fits */
            cap?: string;
            placement?: {
                /**
                 * @description The earliest end, or the lowest price
                 * @default finish
                 * @enum {string}
                 */
                objective: "finish" | "cost";
                /** @description Names of the only sites that may take it */
                sites?: string[];
                /** @description The only country that it may be rendered and stored in */
                country?: string;
            };
            /** @description False: take no frame from the frame cache and keep none there */
            cache?: boolean;
            /** @description The studio takes the frames as they come: the job, once settled, ends when it has acknowledged all */
            awaitDelivery?: boolean;
            files: {
                /** @description Relative to the project root, forward slashes */
                path: string;
                sizeBytes: number;
            }[];
        };
        MissingRequest: {
            blobs: components["schemas"]["Blob"][];
        };
        MissingBlobs: {
            missing: components["schemas"]["MissingBlob"][];
        };
        MissingBlob: {
            /** @description SHA-256, lower-case hex */
            hash: string;
            /** @description Presigned PUT for exactly these bytes */
            url: string;
            /** @description Send exactly these headers */
            headers: {
                [key: string]: string;
            };
        };
        JobCreated: {
            /** Format: uuid */
            id: string;
            missing: components["schemas"]["MissingBlob"][];
        };
        Quote: {
            /** @description Token base units as a decimal string */
            total: string;
            /** @description Token base units as a decimal string */
            unitPrice: string;
            /** @description Frames to be rendered; those from the cache are not among them */
            units: number;
            cache: {
                /** @description Frames that come from the frame cache, not billed, as a range */
                frames: string;
                count: number;
                /** @description Why the cache was not asked; null where it was */
                note: string | null;
            };
            /** @description Token base units as a decimal string */
            suggestedCap: string;
            token: {
                symbol: string;
                decimals: number;
                address: string;
                chainId: number;
            };
            currency: string;
            /** @description Net, in minor units of the currency */
            totalCents: number;
            centsPerTokenE6: number;
            secondsPerFrame: number;
            /** @description Wall time with the nodes that are online now */
            estimatedSeconds: number;
            /** @description Token base units as a decimal string */
            pricePerFbh: string;
            /** Format: date-time */
            expiresAt: string;
        };
        Problem: {
            type: string;
            title: string;
            status: number;
            detail: string;
            code: string;
            place: {
                [key: string]: unknown;
            };
            remedy: string;
            /** @enum {string} */
            fault: "user" | "system";
            retryable: boolean;
        };
        StageProgress: {
            /** @enum {string} */
            stage: "intake" | "plan" | "render" | "verify" | "assemble" | "settle";
            /** @enum {string} */
            state: "waiting" | "running" | "done" | "failed" | "skipped";
            fraction: number;
            seconds: number | null;
        };
        FrameCounts: {
            total: number;
            committed: number;
            rendering: number;
            failed: number;
            billed: number;
            /** @description Committed from the frame cache, not billed */
            cached: number;
        };
        RenderSettings: {
            /** @constant */
            formatVersion: 1;
            /** @constant */
            engine: "pathtracer";
            /**
             * @description raster: scrub draft; raycast: quick look; pathtrace: final
             * @enum {string}
             */
            technique: "raster" | "raycast" | "pathtrace";
            /**
             * @description Tier that traces; auto lets the node decide
             * @enum {string}
             */
            tier: "auto" | "cpu" | "gpu";
            width: number;
            height: number;
            /** @description Only this part of the picture, pixels from its top left, half open */
            crop: {
                x0: number;
                y0: number;
                x1: number;
                y1: number;
            } | null;
            samples: number;
            adaptive: {
                threshold: number;
                minSamples: number;
            } | null;
            maxDepth: number;
            depths: {
                diffuse: number | null;
                specular: number | null;
                transmission: number | null;
            };
            clampDirect: number;
            clampIndirect: number;
            filter: {
                /** @enum {string} */
                kind: "box" | "triangle" | "gaussian" | "blackman-harris";
                radius: number;
            };
            energyCompensation: boolean;
            lens: {
                fStop: number | null;
                focusDistance: number | null;
                blades: number;
            };
            shutter: number;
            seed: number;
            scene: string | null;
            variant: string | null;
            camera: string | null;
            fps: number;
            start: number;
            denoise: boolean;
            exposure: number;
            /**
             * @description View transform of previews and film
             * @enum {string}
             */
            view: "srgb" | "agx" | "aces" | "neutral" | "raw";
            output: {
                layers: ("beauty" | "diffuse_direct" | "diffuse_indirect" | "specular_direct" | "specular_indirect" | "transmission" | "emission" | "environment" | "albedo" | "normal" | "position" | "depth" | "motion" | "uv" | "sample_count" | "variance" | "cryptomatte_object" | "cryptomatte_material" | "diffuse_direct_variance" | "diffuse_indirect_variance" | "specular_direct_variance" | "specular_indirect_variance" | "transmission_variance")[];
                denoisedLayers: boolean;
                floatLayers: ("beauty" | "diffuse_direct" | "diffuse_indirect" | "specular_direct" | "specular_indirect" | "transmission" | "emission" | "environment" | "albedo" | "normal" | "position" | "depth" | "motion" | "uv" | "sample_count" | "variance" | "cryptomatte_object" | "cryptomatte_material" | "diffuse_direct_variance" | "diffuse_indirect_variance" | "specular_direct_variance" | "specular_indirect_variance" | "transmission_variance")[];
                /** @enum {string} */
                compression: "none" | "zips" | "zip" | "piz";
                /**
                 * @description Primaries of the EXR, linear
                 * @enum {string}
                 */
                colorSpace: "rec709" | "acescg";
                /**
                 * @description Format of the picture beside the EXR
                 * @enum {string}
                 */
                picture: "png" | "tiff" | "webp" | "jpeg";
            };
        };
        Job: {
            /** Format: uuid */
            id: string;
            name: string;
            version: number | null;
            /** @enum {string} */
            status: "uploading" | "preparing" | "quoted" | "active" | "paused" | "stopping" | "completed" | "cancelled" | "failed" | "expired";
            /** @enum {string} */
            stage: "intake" | "plan" | "render" | "verify" | "assemble" | "settle";
            stages: components["schemas"]["StageProgress"][];
            pauseReason: ("user" | "budget") | null;
            problem: {
                type?: string;
                title?: string;
                status?: number;
                detail?: string;
                code?: string;
                place?: {
                    [key: string]: unknown;
                };
                remedy?: string;
                /** @enum {string} */
                fault?: "user" | "system";
                retryable?: boolean;
            } | null;
            frames: components["schemas"]["FrameCounts"];
            frameRange: string;
            width: number;
            height: number;
            samples: number;
            fps: number;
            settings: components["schemas"]["RenderSettings"];
            template: string;
            priority: number;
            /** @description Token base units as a decimal string */
            cap: string;
            /** @description Token base units as a decimal string */
            reserved: string;
            /** @description Token base units as a decimal string */
            spent: string;
            currency: string;
            spentCents: number;
            placement: components["schemas"]["Placement"];
            delivery: components["schemas"]["Delivery"];
            quote: components["schemas"]["Quote"] | null;
            inspection: {
                generator: string | null;
                scenes: string[];
                variants: string[];
                cameras: {
                    name: string;
                    animated: boolean;
                }[];
                durationSeconds: number;
                triangles: number;
                instancedTriangles: number;
                meshes: number;
                materials: number;
                lights: number;
                hasEnvironment: boolean;
                textures: {
                    name: string;
                    width: number;
                    height: number;
                }[];
                textureBytes: number;
            } | null;
            warnings: {
                code: string;
                message: string;
            }[];
            /** Format: date-time */
            createdAt: string;
            acceptedAt: string | null;
            endedAt: string | null;
            estimatedEndAt: string | null;
            eventSeq: number;
        };
        JobPage: {
            items: components["schemas"]["Job"][];
            nextCursor: string | null;
        };
        Frame: {
            /** Format: uuid */
            unitId: string;
            frame: number;
            take: number;
            tile: number;
            layer: string;
            /** @enum {string} */
            status: "planned" | "offered" | "leased" | "uploaded" | "verified" | "committed" | "failed" | "cancelled";
            node: string | null;
            /** @description Token base units as a decimal string */
            price: string;
            /** @description From the frame cache, not billed */
            cached: boolean;
            renderSeconds: number | null;
            /** @description File name from the template, relative, with .exr */
            name: string;
            exr: {
                /** @description SHA-256, lower-case hex */
                hash: string;
                sizeBytes: number;
            } | null;
            preview: {
                /** @description SHA-256, lower-case hex */
                hash: string;
                sizeBytes: number;
            } | null;
            /** @description In the format that the job chose; null where that is PNG, as the preview is */
            picture: {
                /** @description SHA-256, lower-case hex */
                hash: string;
                sizeBytes: number;
            } | null;
            warnings: {
                code: string;
                message: string;
            }[];
            refusals: {
                at: string;
                node: string;
                code: string;
                message: string;
            }[];
            committedAt: string | null;
            /** @description When the studio acknowledged it */
            deliveredAt: string | null;
        };
        FramePage: {
            items: components["schemas"]["Frame"][];
            nextCursor: string | null;
        };
        DownloadUrl: {
            url: string;
            /** @description SHA-256, lower-case hex */
            hash: string;
            sizeBytes: number;
            name: string;
        };
        FrameUrls: {
            exr: components["schemas"]["DownloadUrl"] | null;
            preview: components["schemas"]["DownloadUrl"] | null;
            picture: components["schemas"]["DownloadUrl"] | null;
        };
        FrameAddressesPage: {
            items: {
                /** Format: uuid */
                unitId: string;
                /** @description Site whose store has it; null: the farm itself */
                siteId: string | null;
                exr: {
                    url: string;
                    /** @description SHA-256, lower-case hex */
                    hash: string;
                    sizeBytes: number;
                    name: string;
                    /** @description Addresses of further copies at other sites */
                    mirrors: string[];
                    /** @description The same at the site's agent, compressed for the way where that helps */
                    transit: string | null;
                } | null;
                preview: {
                    url: string;
                    /** @description SHA-256, lower-case hex */
                    hash: string;
                    sizeBytes: number;
                    name: string;
                    /** @description Addresses of further copies at other sites */
                    mirrors: string[];
                    /** @description The same at the site's agent, compressed for the way where that helps */
                    transit: string | null;
                } | null;
                picture: {
                    url: string;
                    /** @description SHA-256, lower-case hex */
                    hash: string;
                    sizeBytes: number;
                    name: string;
                    /** @description Addresses of further copies at other sites */
                    mirrors: string[];
                    /** @description The same at the site's agent, compressed for the way where that helps */
                    transit: string | null;
                } | null;
            }[];
        };
        FrameHeadsPage: {
            items: {
                /** Format: uuid */
                unitId: string;
                /** @description Site whose store has it; null: the farm itself */
                siteId: string | null;
                /** @description Name of the whole file */
                name: string;
                /** @description SHA-256 of the whole file */
                hash: string;
                /** @description Of the whole file */
                sizeBytes: number;
                /** @description Bytes that the address gives */
                headBytes: number;
                /** @description Answers one request header only: `Range: bytes=0-(headBytes - 1)` */
                url: string;
                /** @description As many bytes again. Answers one request header only: `Range: bytes=headBytes-(2 * headBytes - 1)` */
                nextUrl: string;
            }[];
        };
        ProjectFiles: {
            /** @description Path of the scene file */
            main: string;
            items: {
                /** @description Relative to the project root, forward slashes */
                path: string;
                sizeBytes: number;
                /** @description SHA-256 of the whole file */
                hash: string;
                /** @description Slices of blobs that make up the file, in order, without gaps; absent: the file is the blob `hash` */
                parts?: components["schemas"]["FilePart"][];
                /** @description Address of the bytes, for an hour; null when the file is made of parts */
                url: string | null;
            }[];
            /** @description Addresses of the blobs that parts on this page name, by hash */
            blobs: {
                [key: string]: string;
            };
            nextCursor: string | null;
        };
        Outputs: {
            manifest: components["schemas"]["DownloadUrl"] | null;
            film: components["schemas"]["DownloadUrl"] | null;
            contactSheet: components["schemas"]["DownloadUrl"] | null;
            /** @description Sites that did not answer: film and contact sheet have gaps for what lies there, and are made again when it answers */
            away: string[];
        };
        JobEvent: {
            seq: number;
            /** Format: uuid */
            jobId: string;
            /** Format: date-time */
            at: string;
            type: string;
            data: {
                [key: string]: unknown;
            };
        };
        Node: {
            /** Format: uuid */
            id: string;
            name: string;
            site: string;
            account: string;
            /** @enum {string} */
            status: "online" | "offline" | "draining" | "left";
            tier: string;
            device: string;
            threads: number;
            memoryBytes: number;
            score: number;
            engineBuild: string;
            /** Format: date-time */
            lastSeenAt: string;
            working: boolean;
        };
        NodeList: {
            items: components["schemas"]["Node"][];
        };
        InvoiceUnit: {
            /** Format: uuid */
            unitId: string;
            frame: number;
            take: number;
            tile: number;
            /** @description Token base units as a decimal string */
            amount: string;
            /** @description SHA-256, lower-case hex */
            exrHash: string;
        };
        InvoiceLine: {
            line: number;
            node: string;
            nodeAccount: string;
            chunk: number;
            frames: string;
            units: components["schemas"]["InvoiceUnit"][];
            /** @description Token base units as a decimal string */
            amount: string;
            netCents: number;
            salt: string;
            leaf: string;
            proof: string[];
        };
        Invoice: {
            number: string;
            /** Format: date-time */
            issuedAt: string;
            /** @enum {string} */
            status: "issued" | "posted" | "paid";
            /** Format: uuid */
            jobId: string;
            jobName: string;
            seller: {
                [key: string]: unknown;
            };
            buyer: {
                [key: string]: unknown;
            };
            lines: components["schemas"]["InvoiceLine"][];
            /** @description Frames from the frame cache: on no line, not billed */
            cached: {
                count: number;
                frames: string;
            };
            /** @description Token base units as a decimal string */
            total: string;
            /** @description Token base units as a decimal string */
            deposited: string;
            /** @description Token base units as a decimal string */
            refunded: string;
            currency: string;
            netCents: number;
            taxBasisPoints: number;
            taxCents: number;
            grossCents: number;
            centsPerTokenE6: number;
            /** Format: date-time */
            rateAt: string;
            token: {
                symbol: string;
                decimals: number;
                address: string;
                chainId: number;
            };
            settlement: string;
            root: string;
            transaction: string | null;
        };
        Verification: {
            ok: boolean;
            checks: {
                name: string;
                ok: boolean;
                detail: string;
            }[];
            lines: {
                line: number;
                proof: boolean;
                frames: boolean;
                detail: string;
            }[];
        };
        Why: {
            reasons: {
                code: string;
                message: string;
                remedy: string;
            }[];
        };
        Delivery: {
            /**
             * @description on-demand: fetched when the studio likes; awaited: the job ends when all is acknowledged; overdue: it ended before that
             * @enum {string}
             */
            status: "on-demand" | "awaited" | "overdue" | "delivered";
            /** @description Frames that the studio has acknowledged */
            delivered: number;
            /** @description Frames that there are to deliver */
            of: number;
            /** @description When the last of them was acknowledged */
            at: string | null;
        };
        DeliveryNote: {
            frames: {
                /** Format: uuid */
                unitId: string;
                /** @description SHA-256 of the EXR as it arrived, lower-case hex */
                hash: string;
            }[];
        };
        Placement: {
            wish: {
                /**
                 * @description The earliest end, or the lowest price
                 * @default finish
                 * @enum {string}
                 */
                objective: "finish" | "cost";
                /** @description Names of the only sites that may take it */
                sites?: string[];
                /** @description The only country that it may be rendered and stored in */
                country?: string;
            };
            /** @description When it was decided; null: not yet */
            at: string | null;
            why: string | null;
            /** @description Expected end of the last frame, seconds after the decision */
            finishSeconds: number | null;
            shares: {
                /** Format: uuid */
                siteId: string;
                name: string;
                frames: number;
                range: string;
                stageBytes: number;
                backBytes: number;
                finishSeconds: number;
                /** @enum {string} */
                bottleneck: "link-up" | "link-down" | "render";
            }[];
            leftOut: {
                /** Format: uuid */
                siteId: string;
                name: string;
                reason: string;
            }[];
            /** @description What each site that took work really did */
            actual: {
                /** Format: uuid */
                siteId: string;
                name: string;
                /** @description Committed frames that its nodes rendered, those it took over among them */
                frames: number;
                /** @description Its first lease, seconds after the decision */
                beganSeconds: number;
                /** @description Its newest committed frame, seconds after the decision */
                lastSeconds: number | null;
            }[];
        };
        Site: {
            /** Format: uuid */
            id: string;
            name: string;
            /** @enum {string} */
            kind: "home" | "edge";
            /** @enum {string} */
            status: "online" | "draining" | "lost" | "removed";
            country: string | null;
            linkDownBytes: number | null;
            linkUpBytes: number | null;
            priceFactor: number;
            /** @description Has an object store of its own */
            hasStore: boolean;
            hasAgent: boolean;
            nodesOnline: number;
            /** @description That have joined and not left */
            nodes: number;
            /** @description Frames and project data of all studios on record here, counted at most once in half a minute; null for who is no operator */
            storedBytes: number | null;
            lastSeenAt: string | null;
        };
        SiteRequest: {
            /** @description Short name, such as berlin-1 */
            name: string;
            /** @description Without one the site keeps its data in the store of the farm */
            store?: {
                /**
                 * Format: uri
                 * @description S3 address for the farm and the studios
                 */
                endpoint: string;
                /**
                 * Format: uri
                 * @description The same store as the site's own nodes reach it; default: the same
                 */
                nearEndpoint?: string;
                /** @default us-east-1 */
                region: string;
                bucket: string;
                accessKey: string;
                secretKey: string;
                /** @description The site agent beside the store, which verifies frames where they lie */
                agent?: {
                    /** Format: uri */
                    url: string;
                    token: string;
                };
            };
            country?: string | null;
            linkDownBytes?: number | null;
            linkUpBytes?: number | null;
            /** @description Price of work here relative to the tariff */
            priceFactor?: number;
        };
        SiteChange: {
            /**
             * @description A draining site takes no new chunks
             * @enum {string}
             */
            status?: "online" | "draining" | "removed";
            /** @description With `removed`: also where frames lie that no studio has acknowledged; they can be fetched no more */
            force?: boolean;
            store?: {
                /**
                 * Format: uri
                 * @description S3 address for the farm and the studios
                 */
                endpoint: string;
                /**
                 * Format: uri
                 * @description The same store as the site's own nodes reach it; default: the same
                 */
                nearEndpoint?: string;
                /** @default us-east-1 */
                region: string;
                bucket: string;
                accessKey: string;
                secretKey: string;
                /** @description The site agent beside the store, which verifies frames where they lie */
                agent?: {
                    /** Format: uri */
                    url: string;
                    token: string;
                };
            };
            country?: string | null;
            linkDownBytes?: number | null;
            linkUpBytes?: number | null;
            /** @description Price of work here relative to the tariff */
            priceFactor?: number;
        };
        GarbageRequest: {
            /** @description Only look; nothing is removed */
            dryRun?: boolean;
        };
        GarbageReport: {
            dryRun: boolean;
            /** @description Entries of the frame cache that were too old or too many */
            evicted: number;
            places: {
                /** @description Null: the farm's own store */
                site: string | null;
                /** @description Objects that the store holds */
                seen: number;
                /** @description Objects that nothing names */
                objects: number;
                bytes: number;
                unreachable: boolean;
            }[];
        };
        StoreCheckRequest: {
            /** @description `nextCursor` of the round before; left out begins */
            cursor?: string;
            /** @description Mend what is wrong from another copy */
            repair?: boolean;
        };
        StoreCheckReport: {
            /** @description Objects read and hashed in this round */
            checked: number;
            damages: {
                /** @enum {string} */
                kind: "blobs" | "frames" | "outputs";
                hash: string;
                /** Format: uuid */
                studioId: string;
                /** @description Null: the farm's own store */
                siteId: string | null;
                /** @description Its name. Null: the farm's own store */
                site: string | null;
                /** @description A copy beside the one of record */
                copy: boolean;
                /** @enum {string} */
                condition: "missing" | "wrong";
                /**
                 * @description Whole again; a copy given up; as it was found
                 * @enum {string}
                 */
                outcome: "copied" | "forgotten" | "kept";
                /** @description Another place has the right bytes */
                recoverable: boolean;
                namedBy: {
                    /** @description Project or job */
                    name: string;
                    /** @description Version of the project, id of the job */
                    of: string;
                    path: string;
                    /** @description Where in that file the object's bytes begin */
                    offset: number;
                }[];
            }[];
            /** @description Names of sites (`home` for the own store) that did not answer */
            unreachable: string[];
            nextCursor: string | null;
        };
        FarmInfo: {
            version: string;
            nodesOnline: number;
            currency: string;
            /** @description Token base units as a decimal string */
            pricePerFbh: string;
            token: {
                symbol: string;
                decimals: number;
                address: string;
                chainId: number;
            };
        };
        Me: {
            /** @enum {string} */
            role: "artist" | "td" | "finance" | "operator" | "node";
            studio: {
                /** Format: uuid */
                id: string;
                slug: string;
                name: string;
                currency: string;
                account: string;
            } | null;
            /** @description Token balance of the studio's account, outside escrow */
            balance: string | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
